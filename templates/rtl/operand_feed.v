// Holds one input vector and offers the LANES values of each step of a folded dense layer.
// `load` takes a new vector; in the same cycle the step must be 0. `operands` follows `step` one cycle later.
// The first step comes straight from the input, so that holding the vector costs no cycle.
module operand_feed #(
    parameter N          = 8,      // values in a vector
    parameter WIDTH      = 8,
    parameter LANES      = 8,      // values per step
    parameter STEPS      = 1,
    parameter STEP_WIDTH = 1
) (
    input                        clk,
    input                        load,
    input      [N*WIDTH-1:0]     vector,
    input      [STEP_WIDTH-1:0]  step,
    output reg [LANES*WIDTH-1:0] operands
);
    localparam SLICE = LANES * WIDTH;
    generate
        if (STEPS == 1) begin : whole
            always @(posedge clk) if (load) operands <= vector;
        end else begin : sliced
            // A multiplexer costs less than a rotating register, whose load path would need a LUT for every bit held.
            reg [STEPS*SLICE-1:0] held;
            wire [STEPS*SLICE-1:0] padded = vector;
            always @(posedge clk) if (load) held <= padded;
            genvar b, s;
            for (b = 0; b < SLICE; b = b + 1) begin : bits
                wire [STEPS-1:0] choices;
                for (s = 0; s < STEPS; s = s + 1) begin : choice
                    assign choices[s] = held[s*SLICE + b];
                end
                always @(posedge clk) operands[b] <= load ? padded[b] : choices[step];
            end
        end
    endgenerate
endmodule
