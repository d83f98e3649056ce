// An AXI4-Stream slave in front of an input of a design. Each element of a beat takes BYTES bytes of `tdata`, element 0
// lowest; bits that its type does not have are not looked at. Combinational but for the counter.
// TLAST is not needed: frames have a fixed length. Where it comes, it has to come with the last beat of each frame;
// `misplaced` rises when it comes elsewhere, and stays until the reset.
`default_nettype none
module axis_input #(
    parameter LANES = 1,      // elements of a beat
    parameter WIDTH = 6,      // bits of an element
    parameter BYTES = 1,
    parameter BEATS = 1       // of a frame
) (
    input  wire                     clk,
    input  wire                     rst,
    input  wire                     tvalid,
    output wire                     tready,
    input  wire                     tlast,
    input  wire [8*BYTES*LANES-1:0] tdata,
    output wire                     valid,
    input  wire                     ready,
    output wire [LANES*WIDTH-1:0]   data,
    output reg                      misplaced
);
    wire last;
    wire step = tvalid & ready;
    assign valid  = tvalid;
    assign tready = ready;
    step_counter #(.LENGTH(BEATS)) counter (.clk(clk), .rst(rst), .step(step), .at(), .next(), .last(last));
    always @(posedge clk) misplaced <= ~rst & (misplaced | (step & tlast & ~last));
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : element
            assign data[i*WIDTH +: WIDTH] = tdata[i*8*BYTES +: WIDTH];
        end
    endgenerate
endmodule
`default_nettype wire
