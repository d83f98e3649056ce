// Balanced sum of LEAVES signed values, leaf 0 in the least significant bits, with a register after every
// LEVELS_PER_STAGE levels of adders. The last stage is left open: its levels and one adder more (the accumulator's)
// form the final stage. LATENCY = ceil((ceil(log2 LEAVES) + 1) / LEVELS_PER_STAGE) - 1 cycles.
//
// Each level is one bit wider than the one before, up to OUT_WIDTH: sums are modulo 2**OUT_WIDTH.
`default_nettype none
module adder_tree #(
    parameter LEAVES           = 4,
    parameter IN_WIDTH         = 8,
    parameter OUT_WIDTH        = 10,
    parameter LEVELS_PER_STAGE = 2
) (
    input  wire                       clk,
    input  wire [LEAVES*IN_WIDTH-1:0] leaves,
    output wire [OUT_WIDTH-1:0]       sum
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
                if (l == 0) begin : leaf
                    assign added = leaves[i*IN_WIDTH +: WIDTH];
                end else if (2 * i + 1 < (LEAVES + (1 << (l - 1)) - 1) >> (l - 1)) begin : pair
                    if (LEVELS_PER_STAGE > 1) begin : in_a_row
                        // Kept: Yosys (alumacc) would otherwise fuse adjacent levels into carry-save adders, which cost
                        // twice the LUTs on families whose carry chains are free.
                        (* keep *) wire signed [WIDTH-1:0] kept;
                        assign kept  = level[l-1].node[2*i].value + level[l-1].node[2*i+1].value;
                        assign added = kept;
                    end else begin : between_registers
                        // There is nothing to fuse, and what is kept cannot use the registers of Xilinx DSP blocks.
                        assign added = level[l-1].node[2*i].value + level[l-1].node[2*i+1].value;
                    end
                end else begin : alone
                    assign added = level[l-1].node[2*i].value;
                end
                if (l > 0 && l % LEVELS_PER_STAGE == 0) begin : registered
                    reg signed [WIDTH-1:0] value_q;
                    always @(posedge clk) value_q <= added;
                    assign value = value_q;
                end else begin : passed
                    assign value = added;
                end
            end
        end
    endgenerate
    wire signed [TOP_WIDTH-1:0] total = level[LEVELS].node[0].value;
    assign sum = {{OUT_WIDTH{total[TOP_WIDTH-1]}}, total};
endmodule
`default_nettype wire
