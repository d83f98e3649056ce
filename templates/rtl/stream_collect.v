// Puts BEATS beats side by side, the first one in the least significant bits. The last beat passes straight through: the
// whole is offered in its cycle, and that beat is taken when the whole is.
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
    localparam BITS = $clog2(BEATS);
    reg [BITS-1:0] count;
    reg [(BEATS-1)*WIDTH-1:0] earlier;
    wire last = count == BEATS - 1;
    wire step = in_valid & in_ready;
    assign in_ready  = ~last | out_ready;
    assign out_valid = in_valid & last;
    assign out_data  = {in_data, earlier};
    always @(posedge clk) begin
        if (rst)       count <= {BITS{1'b0}};
        else if (step) count <= last ? {BITS{1'b0}} : count + 1'b1;
        if (step) earlier <= out_data[BEATS*WIDTH-1:WIDTH];
    end
endmodule
