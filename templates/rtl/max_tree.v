// The largest of TAPS values, for each of LANES lanes: value t of lane l stands at place t*LANES + l of `in`.
// Balanced tree with a register after every LEVELS_PER_STAGE levels and after the last one: LATENCY is
// ceil(ceil(log2 TAPS) / LEVELS_PER_STAGE). One vector a cycle.
`default_nettype none
module max_tree #(
    parameter LANES            = 1,
    parameter TAPS             = 4,
    parameter WIDTH            = 8,
    parameter SIGNED           = 1,
    parameter LEVELS_PER_STAGE = 2
) (
    input  wire                        clk,
    input  wire                        rst,
    input  wire                        in_valid,
    input  wire [TAPS*LANES*WIDTH-1:0] in,
    output wire                        out_valid,
    output wire [LANES*WIDTH-1:0]      out
);
    localparam LEVELS = $clog2(TAPS);
    // Inverted, the sign bit makes signed values compare like unsigned ones.
    localparam [WIDTH-1:0] SIGN = SIGNED ? {1'b1, {WIDTH{1'b0}}} >> 1 : 0;
    delay_line #(
        .CYCLES((LEVELS + LEVELS_PER_STAGE - 1) / LEVELS_PER_STAGE), .RESET(1)
    ) valid_later (
        .clk(clk), .rst(rst), .in(in_valid), .out(out_valid)
    );
    genvar l, t, c;
    generate
        for (l = 0; l <= LEVELS; l = l + 1) begin : level
            localparam NODES = (TAPS + (1 << l) - 1) >> l;
            for (t = 0; t < NODES; t = t + 1) begin : node
                wire [LANES*WIDTH-1:0] value, larger;
                if (l == 0) begin : leaf
                    assign larger = in[t*LANES*WIDTH +: LANES*WIDTH];
                end else if (2 * t + 1 < (TAPS + (1 << (l - 1)) - 1) >> (l - 1)) begin : pair
                    for (c = 0; c < LANES; c = c + 1) begin : lane
                        wire [WIDTH-1:0] a = level[l-1].node[2*t].value[c*WIDTH +: WIDTH];
                        wire [WIDTH-1:0] b = level[l-1].node[2*t+1].value[c*WIDTH +: WIDTH];
                        assign larger[c*WIDTH +: WIDTH] = (a ^ SIGN) > (b ^ SIGN) ? a : b;
                    end
                end else begin : alone
                    assign larger = level[l-1].node[2*t].value;
                end
                if (l > 0 && (l % LEVELS_PER_STAGE == 0 || l == LEVELS)) begin : registered
                    reg [LANES*WIDTH-1:0] held;
                    always @(posedge clk) held <= larger;
                    assign value = held;
                end else begin : passed
                    assign value = larger;
                end
            end
        end
    endgenerate
    assign out = level[LEVELS].node[0].value;
endmodule
`default_nettype wire
