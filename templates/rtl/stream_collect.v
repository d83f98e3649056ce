// Puts BEATS beats side by side, the first one in the least significant bits. The last beat passes straight through:
// the whole is offered in its cycle, and that beat is taken when the whole is.
module stream_collect #(
    parameter WIDTH = 8,     // bits of a beat
    parameter BEATS = 2
) (
    input                    clk,
    input                    rst,
    input                    in_valid,
    output                   in_ready,
    input  [WIDTH-1:0]       in_data,
    output                   out_valid,
    input                    out_ready,
    output [BEATS*WIDTH-1:0] out_data
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
