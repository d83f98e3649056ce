// Balanced sum of LEAVES values of one type, leaf 0 in the least significant bits, where each single sum is brought back
// into that type: it wraps around or saturates. Neighbours are added first, so that the first 2**k values, the most that
// is less than LEAVES, are summed apart from the rest.
//
// A register after every LEVELS_PER_STAGE levels and after the last one: LATENCY is
// ceil(ceil(log2 LEAVES) / LEVELS_PER_STAGE).
`default_nettype none
module fitted_sum #(
    parameter LEAVES           = 4,
    parameter WIDTH            = 8,
    parameter SIGNED           = 1,
    parameter OVERFLOW         = "WRAP",
    parameter LEVELS_PER_STAGE = 2
) (
    input  wire                    clk,
    input  wire [LEAVES*WIDTH-1:0] leaves,
    output wire [WIDTH-1:0]        sum
);
    localparam LEVELS = $clog2(LEAVES);
    genvar l, i;
    generate
        for (l = 0; l <= LEVELS; l = l + 1) begin : level
            localparam NODES = (LEAVES + (1 << l) - 1) >> l;
            for (i = 0; i < NODES; i = i + 1) begin : node
                wire [WIDTH-1:0] value, added;
                if (l == 0) begin : leaf
                    assign added = leaves[i*WIDTH +: WIDTH];
                end else if (2 * i + 1 < (LEAVES + (1 << (l - 1)) - 1) >> (l - 1)) begin : pair
                    wire [WIDTH-1:0] a = level[l-1].node[2*i].value;
                    wire [WIDTH-1:0] b = level[l-1].node[2*i+1].value;
                    wire [WIDTH:0] total = {SIGNED ? a[WIDTH-1] : 1'b0, a} + {SIGNED ? b[WIDTH-1] : 1'b0, b};
                    fixed_cast #(
                        .IN_WIDTH(WIDTH + 1), .IN_SIGNED(SIGNED), .OUT_WIDTH(WIDTH), .OUT_SIGNED(SIGNED),
                        .OVERFLOW(OVERFLOW)
                    ) fit (
                        .in(total), .out(added)
                    );
                end else begin : alone
                    assign added = level[l-1].node[2*i].value;
                end
                if (l > 0 && (l % LEVELS_PER_STAGE == 0 || l == LEVELS)) begin : registered
                    reg [WIDTH-1:0] held;
                    always @(posedge clk) held <= added;
                    assign value = held;
                end else begin : passed
                    assign value = added;
                end
            end
        end
    endgenerate
    assign sum = level[LEVELS].node[0].value;
endmodule
`default_nettype wire
