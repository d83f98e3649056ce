// An AXI4-Stream master behind an output of a design. Each element of a beat takes BYTES bytes of `tdata`, element 0
// lowest, extended by its sign or by zeros; TLAST comes with the last beat of each frame. Combinational but for the
// counter.
`default_nettype none
module axis_output #(
    parameter LANES  = 1,     // elements of a beat
    parameter WIDTH  = 6,     // bits of an element
    parameter SIGNED = 1,
    parameter BYTES  = 1,
    parameter BEATS  = 1      // of a frame
) (
    input  wire                     clk,
    input  wire                     rst,
    input  wire                     valid,
    output wire                     ready,
    input  wire [LANES*WIDTH-1:0]   data,
    output wire                     tvalid,
    input  wire                     tready,
    output wire                     tlast,
    output wire [8*BYTES*LANES-1:0] tdata
);
    localparam SPARE = 8*BYTES - WIDTH;
    assign tvalid = valid;
    assign ready  = tready;
    step_counter #(.LENGTH(BEATS)) counter (
        .clk(clk), .rst(rst), .step(valid & tready), .at(), .next(), .last(tlast)
    );
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : element
            wire [WIDTH-1:0] value = data[i*WIDTH +: WIDTH];
            assign tdata[i*8*BYTES +: WIDTH] = value;
            if (SPARE > 0) assign tdata[i*8*BYTES + WIDTH +: SPARE] = {SPARE{(SIGNED != 0) & value[WIDTH-1]}};
        end
    endgenerate
endmodule
`default_nettype wire
