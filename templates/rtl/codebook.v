// The weights that a layer has, by number: a small table of constants, without a clock. Value 0 is in the least
// significant bits of VALUES.
`default_nettype none
module codebook #(
    parameter INDEX_WIDTH = 4,
    parameter WIDTH       = 8,
    parameter [WIDTH*(2**INDEX_WIDTH)-1:0] VALUES = 0
) (
    input  wire [INDEX_WIDTH-1:0] index,
    output wire [WIDTH-1:0]       value
);
    assign value = VALUES[index*WIDTH +: WIDTH];
endmodule
`default_nettype wire
