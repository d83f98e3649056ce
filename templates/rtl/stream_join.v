// One beat of each of several streams at a time: they go on together or wait for each other. Combinational; the data of
// the inputs side by side are the data of the result.
`default_nettype none
module stream_join #(
    parameter INPUTS = 2
) (
    input  wire [INPUTS-1:0] in_valid,
    output wire [INPUTS-1:0] in_ready,
    output wire              out_valid,
    input  wire              out_ready
);
    assign out_valid = &in_valid;
    assign in_ready  = {INPUTS{out_valid & out_ready}};
endmodule
`default_nettype wire
