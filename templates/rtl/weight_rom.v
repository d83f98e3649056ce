// A table of constants, read with one cycle of delay. Word 0 is in the least significant bits of CONTENTS.
// The contents are part of the source text: a design that is moved cannot lose its weights.
`default_nettype none
module weight_rom #(
    parameter WIDTH         = 8,
    parameter DEPTH         = 1,
    parameter ADDRESS_WIDTH = 1,
    parameter [WIDTH*DEPTH-1:0] CONTENTS = 0,
    parameter MEMORY        = "AUTO"   // "LUT", "BRAM", or as the synthesizer likes
) (
    input  wire                     clk,
    input  wire [ADDRESS_WIDTH-1:0] address,
    output wire [WIDTH-1:0]         word
);
    // The attribute has to be a literal, so there is one memory for each.
    integer i;
    generate
        if (DEPTH == 1) begin : constant
            assign word = CONTENTS;
        end else if (MEMORY == "LUT") begin : lut
            // Yosys calls LUTs "logic" here; Vivado "distributed".
`ifdef YOSYS
            (* rom_style = "logic" *)
`else
            (* rom_style = "distributed" *)
`endif
            reg [WIDTH-1:0] words [0:DEPTH-1];
            reg [WIDTH-1:0] read;
            initial for (i = 0; i < DEPTH; i = i + 1) words[i] = CONTENTS[i*WIDTH +: WIDTH];
            always @(posedge clk) read <= words[address];
            assign word = read;
        end else if (MEMORY == "BRAM") begin : bram
            (* rom_style = "block" *) reg [WIDTH-1:0] words [0:DEPTH-1];
            reg [WIDTH-1:0] read;
            initial for (i = 0; i < DEPTH; i = i + 1) words[i] = CONTENTS[i*WIDTH +: WIDTH];
            always @(posedge clk) read <= words[address];
            assign word = read;
        end else begin : memory
            reg [WIDTH-1:0] words [0:DEPTH-1];
            reg [WIDTH-1:0] read;
            initial for (i = 0; i < DEPTH; i = i + 1) words[i] = CONTENTS[i*WIDTH +: WIDTH];
            always @(posedge clk) read <= words[address];
            assign word = read;
        end
    endgenerate
endmodule
`default_nettype wire
