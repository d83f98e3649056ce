var verifJSON={
  "columns":["Invocations", "Latency\n(min,max,avg)", "II\n(min,max,avg)"]
  , "functions":
  [
    {
      "name":"hlsflow_top"
      , "data":
      ['10', '21,24,22', '2,2,2']
      , "details":
      [
        "Click for details"
      ]
    }
    ,
    {
      "name":"Explicit component invocations"
      , "data":
      ['0', 'n/a,n/a,n/a', 'n/a,n/a,n/a']
    }
  ]
};
