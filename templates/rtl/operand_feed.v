// Holds one input vector and offers the LANES values of each step of a folded dense layer.
// `load` takes a new vector; in the same cycle the step must be 0. `operands` follows `step` STAGES cycles later.
// The first step comes straight from the input, so that holding the vector costs no cycle.
//
// STAGES 2: a register between two levels of multiplexers, of 8 steps each at the first one, for many steps and fast
// clocks.
`default_nettype none
module operand_feed #(
    parameter N          = 8,      // values in a vector
    parameter WIDTH      = 8,
    parameter LANES      = 8,      // values per step
    parameter STEPS      = 1,
    parameter STEP_WIDTH = 1,
    parameter STAGES     = 1       // 2 only with more than 8 steps
) (
    input  wire                   clk,
    input  wire                   load,
    input  wire [N*WIDTH-1:0]     vector,
    input  wire [STEP_WIDTH-1:0]  step,
    output reg  [LANES*WIDTH-1:0] operands
);
    localparam SLICE = LANES * WIDTH;
    genvar b, s;
    generate
        if (STEPS == 1) begin : whole
            always @(posedge clk) if (load) operands <= vector;
        end else begin : sliced
            // A multiplexer costs less than a rotating register, whose load path would need a LUT for every bit held.
            reg [STEPS*SLICE-1:0] held;
            wire [STEPS*SLICE-1:0] padded = vector;
            always @(posedge clk) if (load) held <= padded;
            if (STAGES == 1) begin : at_once
                for (b = 0; b < SLICE; b = b + 1) begin : bits
                    wire [STEPS-1:0] choices;
                    for (s = 0; s < STEPS; s = s + 1) begin : choice
                        assign choices[s] = held[s*SLICE + b];
                    end
                    always @(posedge clk) operands[b] <= load ? padded[b] : choices[step];
                end
            end else begin : in_two
                localparam EIGHTS     = (STEPS + 7) / 8;
                localparam HIGH_WIDTH = STEP_WIDTH - 3;
                reg [HIGH_WIDTH-1:0] eighth;
                always @(posedge clk) eighth <= step[STEP_WIDTH-1:3];
                for (b = 0; b < SLICE; b = b + 1) begin : bits
                    reg [EIGHTS-1:0] chosen;
                    for (s = 0; s < EIGHTS; s = s + 1) begin : group
                        localparam COUNT = STEPS - 8 * s < 8 ? STEPS - 8 * s : 8;
                        wire [7:0] choices;
                        genvar c;
                        for (c = 0; c < 8; c = c + 1) begin : choice
                            if (c < COUNT) assign choices[c] = held[(8*s + c)*SLICE + b];
                            else           assign choices[c] = 1'b0;
                        end
                        if (s == 0) always @(posedge clk) chosen[s] <= load ? padded[b] : choices[step[2:0]];
                        else        always @(posedge clk) chosen[s] <= choices[step[2:0]];
                    end
                    always @(posedge clk) operands[b] <= chosen[eighth];
                end
            end
        end
    endgenerate
endmodule
`default_nettype wire
