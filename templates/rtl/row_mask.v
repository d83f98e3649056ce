// Replaces what the last tile of each row has beyond the image: its pixels from KEEP on. Combinational but for the
// counter, which follows the handshake of the stream.
`default_nettype none
module row_mask #(
    parameter WIDTH = 8,     // bits of a pixel
    parameter TILE  = 4,     // pixels of a tile
    parameter TILES = 2,     // of a row
    parameter KEEP  = 3,     // pixels of the last one that are part of the image
    parameter [WIDTH-1:0] PIXEL = 0
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire                  step,     // the tile is taken
    input  wire [TILE*WIDTH-1:0] in,
    output wire [TILE*WIDTH-1:0] out
);
    wire last;
    step_counter #(.LENGTH(TILES)) place (.clk(clk), .rst(rst), .step(step), .at(), .next(), .last(last));
    assign out[KEEP*WIDTH-1:0] = in[KEEP*WIDTH-1:0];
    assign out[TILE*WIDTH-1:KEEP*WIDTH] = last ? {TILE-KEEP{PIXEL}} : in[TILE*WIDTH-1:KEEP*WIDTH];
endmodule
`default_nettype wire
