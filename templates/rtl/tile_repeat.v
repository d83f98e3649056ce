// Each pixel of a tile FH x FW times: the tile of the enlarged image. Wires only.
`default_nettype none
module tile_repeat #(
    parameter WIDTH = 8,     // bits of a pixel
    parameter TH    = 1,     // pixels of a tile
    parameter TW    = 2,
    parameter FH    = 1,
    parameter FW    = 2
) (
    input  wire [TH*TW*WIDTH-1:0]       in,
    output wire [TH*FH*TW*FW*WIDTH-1:0] out
);
    genvar y, x;
    generate
        for (y = 0; y < TH * FH; y = y + 1) begin : row
            for (x = 0; x < TW * FW; x = x + 1) begin : pixel
                assign out[(y*TW*FW + x)*WIDTH +: WIDTH] = in[((y/FH)*TW + x/FW)*WIDTH +: WIDTH];
            end
        end
    endgenerate
endmodule
`default_nettype wire
