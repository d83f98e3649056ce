// Some levels of a binary search among constants, in each lane on its own: how many of 2**n - 1 thresholds, in ascending
// order, does x reach? A level compares x with one threshold, which the levels before have chosen, and so finds one more
// bit of that number, the highest first. Combinational.
//
// A lane of `in` is {found, x}: FOUND bits that earlier levels found, and x. A lane of `out` is {found, x} with LEVELS
// bits more, or found alone where OUT_WIDTH has no room for x.
`default_nettype none
module table_search #(
    parameter LANES     = 1,
    parameter IN_WIDTH  = 8,      // X_WIDTH + FOUND
    parameter IN_SIGNED = 0,      // of no consequence
    parameter X_WIDTH   = 8,
    parameter X_SIGNED  = 1,
    parameter FOUND     = 0,
    parameter LEVELS    = 1,
    parameter OUT_WIDTH = 9,      // FOUND + LEVELS, and X_WIDTH more where x is needed again
    // Nodes 2**FOUND ... 2**(FOUND+LEVELS) - 1 of the search tree, numbered level by level from 1, as unsigned numbers
    // (signed ones with their top bit inverted).
    parameter [((X_WIDTH<<LEVELS)-X_WIDTH<<FOUND)-1:0] THRESHOLDS = 0
) (
    input  wire [LANES*IN_WIDTH-1:0]  in,
    output wire [LANES*OUT_WIDTH-1:0] out
);
    localparam [X_WIDTH-1:0] SIGN = X_SIGNED ? {1'b1, {X_WIDTH{1'b0}}} >> 1 : 0;
    genvar i, l;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : lane
            wire [IN_WIDTH-1:0] entry = in[i*IN_WIDTH +: IN_WIDTH];
            wire [X_WIDTH-1:0]  x     = entry[X_WIDTH-1:0];
            for (l = 0; l < LEVELS; l = l + 1) begin : level
                localparam NODES = 1 << (FOUND + l);
                wire [FOUND+l:0]   found;      // with a leading zero
                wire [X_WIDTH-1:0] threshold;
                wire               reached = (x ^ SIGN) >= threshold;
                if (l > 0)          begin : later   assign found = {level[l-1].found, level[l-1].reached}; end
                else if (FOUND > 0) begin : resumed assign found = entry[IN_WIDTH-1:X_WIDTH];              end
                else                begin : start   assign found = 1'b0;                                   end
                if (NODES == 1) begin : root
                    assign threshold = THRESHOLDS[X_WIDTH-1:0];
                end else begin : chosen
                    reg [X_WIDTH-1:0] nodes [0:NODES-1];
                    integer n;
                    initial
                        for (n = 0; n < NODES; n = n + 1)
                            nodes[n] = THRESHOLDS[(NODES - (1 << FOUND) + n)*X_WIDTH +: X_WIDTH];
                    assign threshold = nodes[found[FOUND+l-1:0]];
                end
            end
            wire [FOUND+LEVELS-1:0] found = {level[LEVELS-1].found, level[LEVELS-1].reached};
            if (OUT_WIDTH > FOUND + LEVELS) assign out[i*OUT_WIDTH +: OUT_WIDTH] = {found, x};
            else                            assign out[i*OUT_WIDTH +: OUT_WIDTH] = found;
        end
    endgenerate
endmodule
`default_nettype wire
