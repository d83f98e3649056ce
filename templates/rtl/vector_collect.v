// Puts the groups of a vector, which come one after the other, side by side again. The last group passes straight
// through: the vector is valid in the cycle of that group, and the next layer takes it then.
`default_nettype none
module vector_collect #(
    parameter LANES  = 1,
    parameter GROUPS = 1,
    parameter WIDTH  = 8,
    parameter N      = 1      // values of the vector; lanes beyond it are padding
) (
    input  wire                   clk,
    input  wire                   group_valid,
    input  wire                   group_last,
    input  wire [LANES*WIDTH-1:0] group,
    output wire                   valid,
    output wire [N*WIDTH-1:0]     vector
);
    localparam SLICE = LANES * WIDTH;
    assign valid = group_valid & group_last;
    generate
        if (GROUPS == 1) begin : wires
            assign vector = group;
        end else begin : shift
            reg  [(GROUPS-1)*SLICE-1:0] earlier;
            wire [GROUPS*SLICE-1:0]     all = {group, earlier};
            always @(posedge clk) if (group_valid) earlier <= all[GROUPS*SLICE-1:SLICE];
            assign vector = all;
        end
    endgenerate
endmodule
`default_nettype wire
