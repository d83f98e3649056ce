// Which of N values is the largest, the first one among equals: out has one bit for each value, set for that one alone.
// Balanced tree of comparisons that carries value and number, with a register after every LEVELS_PER_STAGE levels and
// after the last one: LATENCY is ceil(ceil(log2 N) / LEVELS_PER_STAGE). One vector a cycle.
`default_nettype none
module argmax_tree #(
    parameter N                = 4,
    parameter WIDTH            = 8,
    parameter SIGNED           = 1,
    parameter LEVELS_PER_STAGE = 2
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               in_valid,
    input  wire [N*WIDTH-1:0] in,
    output wire               out_valid,
    output wire [N-1:0]       out
);
    localparam LEVELS = $clog2(N);
    localparam PLACE  = N > 1 ? LEVELS : 1;
    // Inverted, the sign bit makes signed values compare like unsigned ones.
    localparam [WIDTH-1:0] SIGN = SIGNED ? {1'b1, {WIDTH{1'b0}}} >> 1 : 0;
    delay_line #(
        .CYCLES((LEVELS + LEVELS_PER_STAGE - 1) / LEVELS_PER_STAGE), .RESET(1)
    ) valid_later (
        .clk(clk), .rst(rst), .in(in_valid), .out(out_valid)
    );
    genvar l, t;
    generate
        for (l = 0; l <= LEVELS; l = l + 1) begin : level
            localparam NODES = (N + (1 << l) - 1) >> l;
            for (t = 0; t < NODES; t = t + 1) begin : node
                wire [PLACE+WIDTH-1:0] value, winner;   // {place, value}
                if (l == 0) begin : leaf
                    wire [PLACE-1:0] place = t;
                    assign winner = {place, in[t*WIDTH +: WIDTH] ^ SIGN};
                end else if (2 * t + 1 < (N + (1 << (l - 1)) - 1) >> (l - 1)) begin : pair
                    wire [PLACE+WIDTH-1:0] a = level[l-1].node[2*t].value;
                    wire [PLACE+WIDTH-1:0] b = level[l-1].node[2*t+1].value;
                    assign winner = b[WIDTH-1:0] > a[WIDTH-1:0] ? b : a;
                end else begin : alone
                    assign winner = level[l-1].node[2*t].value;
                end
                if (l > 0 && (l % LEVELS_PER_STAGE == 0 || l == LEVELS)) begin : registered
                    reg [PLACE+WIDTH-1:0] held;
                    always @(posedge clk) held <= winner;
                    assign value = held;
                end else begin : passed
                    assign value = winner;
                end
            end
        end
        for (t = 0; t < N; t = t + 1) begin : one_of
            assign out[t] = level[LEVELS].node[0].value[WIDTH +: PLACE] == t;
        end
    endgenerate
endmodule
`default_nettype wire
