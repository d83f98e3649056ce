// Puts BEATS beats side by side, the first one in the least significant bits. The last beat passes straight through:
// the whole is offered in its cycle, and that beat is taken when the whole is.
`default_nettype none
module stream_collect #(
    parameter WIDTH = 8,     // bits of a beat
    parameter BEATS = 2
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   in_valid,
    output wire                   in_ready,
    input  wire [WIDTH-1:0]       in_data,
    output wire                   out_valid,
    input  wire                   out_ready,
    output wire [BEATS*WIDTH-1:0] out_data
);
    wire last;
    wire step = in_valid & in_ready;
    step_counter #(.LENGTH(BEATS)) counter (.clk(clk), .rst(rst), .step(step), .at(), .next(), .last(last));
    reg [(BEATS-1)*WIDTH-1:0] earlier;
    assign in_ready  = ~last | out_ready;
    assign out_valid = in_valid & last;
    assign out_data  = {in_data, earlier};
    always @(posedge clk) if (step) earlier <= out_data[BEATS*WIDTH-1:WIDTH];
endmodule
`default_nettype wire
