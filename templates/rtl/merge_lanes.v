// A function of two vectors, lane by lane: ADD, SUBTRACT, MULTIPLY, MAXIMUM or MINIMUM. `in` holds all lanes of a, then,
// above them, all lanes of b. A_SHIFT and B_SHIFT zeros are first appended to bring both onto one grid (not used by
// MULTIPLY). Results are exact in OUT_WIDTH bits. One vector a cycle; LATENCY is 1.
`default_nettype none
module merge_lanes #(
    parameter OPERATION = "ADD",
    parameter LANES     = 1,
    parameter A_WIDTH   = 8,
    parameter A_SIGNED  = 1,
    parameter A_SHIFT   = 0,
    parameter B_WIDTH   = 8,
    parameter B_SIGNED  = 1,
    parameter B_SHIFT   = 0,
    parameter OUT_WIDTH = 9
) (
    input  wire                               clk,
    input  wire                               rst,
    input  wire                               in_valid,
    input  wire [LANES*(A_WIDTH+B_WIDTH)-1:0] in,
    output wire                               out_valid,
    output wire [LANES*OUT_WIDTH-1:0]         out
);
    // One bit more than each operand has, so that unsigned ones are positive, and one more for the sum.
    localparam A_ALL = A_WIDTH + A_SHIFT;
    localparam B_ALL = B_WIDTH + B_SHIFT;
    localparam WIDTH = (A_ALL > B_ALL ? A_ALL : B_ALL) + 2;
    delay_line #(.CYCLES(1), .RESET(1)) valid_later (.clk(clk), .rst(rst), .in(in_valid), .out(out_valid));
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : lane
            wire [A_WIDTH-1:0] a = in[i*A_WIDTH +: A_WIDTH];
            wire [B_WIDTH-1:0] b = in[LANES*A_WIDTH + i*B_WIDTH +: B_WIDTH];
            if (OPERATION == "MULTIPLY") begin : product
                multiply_dsp #(
                    .X_WIDTH(A_WIDTH), .X_SIGNED(A_SIGNED), .W_WIDTH(B_WIDTH), .W_SIGNED(B_SIGNED),
                    .PRODUCT_WIDTH(OUT_WIDTH)
                ) multiply (
                    .clk(clk), .x(a), .w(b), .product(out[i*OUT_WIDTH +: OUT_WIDTH])
                );
            end else begin : aligned
                wire signed [WIDTH-1:0] x = {{WIDTH{A_SIGNED ? a[A_WIDTH-1] : 1'b0}}, a} << A_SHIFT;
                wire signed [WIDTH-1:0] y = {{WIDTH{B_SIGNED ? b[B_WIDTH-1] : 1'b0}}, b} << B_SHIFT;
                wire signed [WIDTH-1:0] value;
                reg  [OUT_WIDTH-1:0]    held;
                if (OPERATION == "ADD")           begin : add      assign value = x + y;         end
                else if (OPERATION == "SUBTRACT") begin : subtract assign value = x - y;         end
                else if (OPERATION == "MAXIMUM")  begin : maximum  assign value = x > y ? x : y; end
                else                              begin : minimum  assign value = x < y ? x : y; end
                always @(posedge clk) held <= value;
                assign out[i*OUT_WIDTH +: OUT_WIDTH] = held;
            end
        end
    endgenerate
endmodule
`default_nettype wire
