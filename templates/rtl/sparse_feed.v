// Holds one input vector and offers, in each cycle of a static schedule, one value of it to each multiplier.
// `load` takes a new vector; in the same cycle `index` must be 0. `operands` follows `index` one cycle later.
`default_nettype none
module sparse_feed #(
    parameter N            = 8,      // values in a vector
    parameter WIDTH        = 8,
    parameter LANES        = 4,      // multipliers
    parameter CYCLES       = 4,      // of the schedule
    parameter INDEX_WIDTH  = 2,
    parameter SELECT_WIDTH = 3,
    // Which value each multiplier takes in each cycle: at cycle*LANES + lane.
    parameter [CYCLES*LANES*SELECT_WIDTH-1:0] SELECTS = 0
) (
    input  wire                   clk,
    input  wire                   load,
    input  wire [N*WIDTH-1:0]     vector,
    input  wire [INDEX_WIDTH-1:0] index,
    output reg  [LANES*WIDTH-1:0] operands
);
    reg [N*WIDTH-1:0] held;
    always @(posedge clk) if (load) held <= vector;
    genvar m, b, c;
    generate
        for (m = 0; m < LANES; m = m + 1) begin : lane
            localparam [SELECT_WIDTH-1:0] START = SELECTS[m*SELECT_WIDTH +: SELECT_WIDTH];
            wire [WIDTH-1:0] start = vector[START*WIDTH +: WIDTH];
            wire [WIDTH-1:0] chosen;
            if (CYCLES <= N) begin : by_cycle
                // One choice for each cycle, in order, so that the counter itself selects.
                for (b = 0; b < WIDTH; b = b + 1) begin : bits
                    wire [CYCLES-1:0] choices;
                    for (c = 0; c < CYCLES; c = c + 1) begin : choice
                        localparam [SELECT_WIDTH-1:0] PLACE = SELECTS[(c*LANES+m)*SELECT_WIDTH +: SELECT_WIDTH];
                        assign choices[c] = held[PLACE*WIDTH + b];
                    end
                    if (CYCLES == 1) assign chosen[b] = choices[0];
                    else             assign chosen[b] = choices[index];
                end
            end else begin : by_value
                wire [CYCLES*SELECT_WIDTH-1:0] places;
                for (c = 0; c < CYCLES; c = c + 1) begin : place
                    assign places[c*SELECT_WIDTH +: SELECT_WIDTH] = SELECTS[(c*LANES+m)*SELECT_WIDTH +: SELECT_WIDTH];
                end
                wire [SELECT_WIDTH-1:0] at = places[index*SELECT_WIDTH +: SELECT_WIDTH];
                for (b = 0; b < WIDTH; b = b + 1) begin : bits
                    wire [N-1:0] choices;
                    for (c = 0; c < N; c = c + 1) begin : choice
                        assign choices[c] = held[c*WIDTH + b];
                    end
                    if (N == 1) assign chosen[b] = choices[0];
                    else        assign chosen[b] = choices[at];
                end
            end
            always @(posedge clk) operands[m*WIDTH +: WIDTH] <= load ? start : chosen;
        end
    endgenerate
endmodule
`default_nettype wire
