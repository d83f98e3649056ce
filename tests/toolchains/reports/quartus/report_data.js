var infoJSON={"name":"Info","rows":[
{"name":"Project Name","data":["./hlsflow_top-fpga"]},
{"name":"Target Family, Device","data":["Arria 10, 10AX115U1F45I1SG"]},
{"name":"i++ Version","data":["21.2.0 Build 72"]},
{"name":"Quartus Version","data":["21.2.0 Build 72"]}
]};
var areaJSON={
  "columns":["", "ALUTs", "FFs", "RAMs", "DSPs", "MLABs", "Details"]
  , "total_percent":[0.4, 0.1, 0.2, 0.3, 0.1, 0.2]
  , "total":[1280, 2410, 9, 6.5, 14]
  , "name":"System"
  , "max_resources":[854400, 1708800, 2713, 1518, 21360]
  , "children":[{"name":"hlsflow_top", "type":"function"
    , "total_kernel_resources":[1280, 2410, 9, 6.5, 14]
    , "details":[{"type":"text", "text":"it's \"one\" unit"}]}]
};
var fileJSON=[{"name":"firmware/hlsflow_top.cpp", "content":"// var areaJSON={ is not here"}];
