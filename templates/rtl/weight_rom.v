// A table of constants, read with one cycle of delay. Word 0 is in the least significant bits of CONTENTS.
// The contents are part of the source text: a design that is moved cannot lose its weights.
module weight_rom #(
    parameter WIDTH         = 8,
    parameter DEPTH         = 1,
    parameter ADDRESS_WIDTH = 1,
    parameter [WIDTH*DEPTH-1:0] CONTENTS = 0,
    parameter MEMORY        = "AUTO"   // "LUT", "BRAM", or as the synthesizer likes
) (
    input                      clk,
    input  [ADDRESS_WIDTH-1:0] address,
    output [WIDTH-1:0]         word
);
    generate
        if (DEPTH == 1) begin : constant
            assign word = CONTENTS;
        end else begin : memory
            // Yosys calls LUTs "logic" here; Vivado "distributed".
`ifdef YOSYS
            localparam STYLE = MEMORY == "LUT" ? "logic" : MEMORY == "BRAM" ? "block" : "auto";
`else
            localparam STYLE = MEMORY == "LUT" ? "distributed" : MEMORY == "BRAM" ? "block" : "auto";
`endif
            (* rom_style = STYLE *) reg [WIDTH-1:0] words [0:DEPTH-1];
            reg [WIDTH-1:0] read;
            integer i;
            initial for (i = 0; i < DEPTH; i = i + 1) words[i] = CONTENTS[i*WIDTH +: WIDTH];
            always @(posedge clk) read <= words[address];
            assign word = read;
        end
    endgenerate
endmodule
