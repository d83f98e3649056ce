// The sum of LEAVES signed values and as many carries, in no more adders than the values alone need: as adder_tree, but
// each adder also takes the carry of its first operand, and hands that of its second one on. One is left at the end.
//
// A carry enters below the lowest bit, by 1 + carry in a position of its own: Yosys would not use the carry input.
`default_nettype none
module carry_tree #(
    parameter LEAVES           = 4,
    parameter IN_WIDTH         = 8,
    parameter OUT_WIDTH        = 11,
    parameter LEVELS_PER_STAGE = 2
) (
    input  wire                       clk,
    input  wire [LEAVES*IN_WIDTH-1:0] leaves,
    input  wire [LEAVES-1:0]          carries,
    output wire [OUT_WIDTH-1:0]       sum,
    output wire                       carry
);
    localparam LEVELS = $clog2(LEAVES);
    localparam TOP_WIDTH = IN_WIDTH + LEVELS < OUT_WIDTH ? IN_WIDTH + LEVELS : OUT_WIDTH;
    genvar l, i;
    generate
        for (l = 0; l <= LEVELS; l = l + 1) begin : level
            localparam NODES = (LEAVES + (1 << l) - 1) >> l;
            localparam WIDTH = IN_WIDTH + l < OUT_WIDTH ? IN_WIDTH + l : OUT_WIDTH;
            for (i = 0; i < NODES; i = i + 1) begin : node
                wire signed [WIDTH-1:0] value, added;
                wire waiting, handed;
                if (l == 0) begin : leaf
                    assign added  = leaves[i*IN_WIDTH +: WIDTH];
                    assign handed = carries[i];
                end else if (2 * i + 1 < (LEAVES + (1 << (l - 1)) - 1) >> (l - 1)) begin : pair
                    wire signed [WIDTH-1:0] first  = level[l-1].node[2*i].value;
                    wire signed [WIDTH-1:0] second = level[l-1].node[2*i+1].value;
                    wire [WIDTH:0] both;
                    if (LEVELS_PER_STAGE > 1) begin : in_a_row
                        (* keep *) wire [WIDTH:0] kept;  // as in adder_tree
                        assign kept = {first, 1'b1} + {second, level[l-1].node[2*i].waiting};
                        assign both = kept;
                    end else begin : between_registers
                        assign both = {first, 1'b1} + {second, level[l-1].node[2*i].waiting};
                    end
                    assign added  = both[WIDTH:1];
                    assign handed = level[l-1].node[2*i+1].waiting;
                end else begin : alone
                    assign added  = level[l-1].node[2*i].value;
                    assign handed = level[l-1].node[2*i].waiting;
                end
                if (l > 0 && l % LEVELS_PER_STAGE == 0) begin : registered
                    reg signed [WIDTH-1:0] value_q;
                    reg handed_q;
                    always @(posedge clk) {value_q, handed_q} <= {added, handed};
                    assign {value, waiting} = {value_q, handed_q};
                end else begin : passed
                    assign {value, waiting} = {added, handed};
                end
            end
        end
    endgenerate
    wire signed [TOP_WIDTH-1:0] total = level[LEVELS].node[0].value;
    assign sum   = {{OUT_WIDTH{total[TOP_WIDTH-1]}}, total};
    assign carry = level[LEVELS].node[0].waiting;
endmodule
`default_nettype wire
