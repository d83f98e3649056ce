// Windows of PH x PW neighbouring output pixels at a time, over an image that comes in tiles of TH x TW pixels: they
// share one line buffer, and where they overlap its registers. Both sides can wait.
//
// A step takes a tile of the image. Rows of zeros (or PAD_PIXEL) above and below the image are walked through, a tile a
// step; columns beside it take no step: windows at the end of a row come out while the next row begins, and what they
// would see of it is replaced. So the windows lag WAIT = (VH - 1) * PITCH + AHEAD steps behind the tiles.
//
// The windows are in `out_data` one after the other, each row by row, the first pixel in the least significant bits,
// combinationally. Outputs beyond the image (the last ones of a row that PW does not divide) mean nothing.
`default_nettype none
module tile_window #(
    parameter WIDTH  = 8,     // bits of a pixel
    parameter H      = 4,     // tiles of the image, down and across
    parameter W      = 4,
    parameter TH     = 1,     // pixels of a tile
    parameter TW     = 2,
    parameter PH     = 1,     // output pixels of a step
    parameter PW     = 2,
    parameter KH     = 3,     // window
    parameter KW     = 3,
    parameter SH     = 1,     // stride
    parameter SW     = 1,
    parameter TOP    = 0,     // pixels of padding
    parameter LEFT   = 0,
    parameter ABOVE  = 0,     // rows of tiles that hold them
    parameter BEFORE = 0,     // tiles to the left of the one at the place of the outputs that they read,
    parameter AHEAD  = 0,     // and to the right
    parameter VH     = 3,     // rows of tiles that all windows of a step reach over
    parameter MH     = 1,     // tiles from one step with outputs to the next one, down and across
    parameter MW     = 1,
    parameter NH     = 2,     // steps with outputs, down and across
    parameter NW     = 4,
    parameter ROWS   = 4,     // rows of tiles that are walked through
    parameter PITCH  = 4,     // steps of a row
    parameter TAIL   = 0,     // steps after the last row, until the last outputs are out
    parameter INSIDE = 8,     // columns of pixels of the image that outputs read; those beyond are padding
    parameter [WIDTH-1:0] PAD_PIXEL = 0
) (
    input  wire                         clk,
    input  wire                         rst,
    input  wire                         in_valid,
    output wire                         in_ready,
    input  wire [TH*TW*WIDTH-1:0]       in_data,
    output wire                         out_valid,
    input  wire                         out_ready,
    output wire [PH*PW*KH*KW*WIDTH-1:0] out_data
);
    localparam TILE = TH * TW * WIDTH;
    localparam VW   = BEFORE + 1 + AHEAD;
    localparam [TILE-1:0] BLANK = {TH*TW{PAD_PIXEL}};
    localparam BITS = PITCH > 1 ? $clog2(PITCH) : 1;

    // Where the tiles are.
    wire step, last_column, last_row, row_covered, column_covered, column_covered_next, over;
    wire [BITS-1:0] at;
    wire again = rst | (step & over);     // the next step is the first one of a frame
    scan_axis #(.LENGTH(PITCH), .BEFORE(0), .INSIDE(W), .WINDOW(1), .STRIDE(1)) columns (
        .clk(clk), .rst(again), .step(step), .last(last_column), .covered(column_covered),
        .covered_next(column_covered_next), .produces()
    );
    scan_axis #(
        .LENGTH(ROWS + (TAIL > 0 ? 1 : 0)), .BEFORE(ABOVE), .INSIDE(H), .WINDOW(1), .STRIDE(1)
    ) rows (
        .clk(clk), .rst(again), .step(step & last_column), .last(last_row), .covered(row_covered), .covered_next(),
        .produces()
    );
    step_counter #(.LENGTH(PITCH)) column (
        .clk(clk), .rst(again), .step(step), .at(at), .next(), .last()
    );
    wire in_tail = TAIL > 0 && last_row;
    assign over = last_row & (TAIL > 0 ? at == (TAIL > 0 ? TAIL - 1 : 0) : last_column);

    // Where the outputs are: the same walk, later.
    wire running;
    generate
        if (VH == 1 && AHEAD == 0) begin : at_once
            assign running = 1'b1;
        end else begin : later
            localparam WAIT = (VH - 1) * PITCH + AHEAD;
            reg begun;
            wire waited;
            step_counter #(.LENGTH(WAIT)) wait_steps (
                .clk(clk), .rst(again), .step(step & ~begun), .at(), .next(), .last(waited)
            );
            always @(posedge clk)
                if (again)     begun <= 1'b0;
                else if (step) begun <= begun | waited;
            assign running = begun;
        end
    endgenerate
    wire walks = step & running;
    wire [BITS-1:0] place;
    wire place_last, row_wanted, column_wanted, row_due, column_due;
    scan_axis #(.LENGTH(PITCH), .BEFORE(0), .INSIDE((NW - 1) * MW + 1), .WINDOW(1), .STRIDE(MW)) output_columns (
        .clk(clk), .rst(again), .step(walks), .last(place_last), .covered(column_wanted), .covered_next(),
        .produces(column_due)
    );
    scan_axis #(.LENGTH(ROWS + 1), .BEFORE(0), .INSIDE((NH - 1) * MH + 1), .WINDOW(1), .STRIDE(MH)) output_rows (
        .clk(clk), .rst(again), .step(walks & place_last), .last(), .covered(row_wanted), .covered_next(),
        .produces(row_due)
    );
    step_counter #(.LENGTH(PITCH)) output_column (
        .clk(clk), .rst(again), .step(walks), .at(place), .next(), .last()
    );

    wire covered  = row_covered & column_covered & ~in_tail;
    wire produces = running & row_wanted & column_wanted & row_due & column_due;
    assign step      = (~covered | in_valid) & (~produces | out_ready);
    assign in_ready  = covered & (~produces | out_ready);
    assign out_valid = produces & (~covered | in_valid);

    // The newest column of tiles: those above, from memory, and the tile of this step.
    wire [TILE-1:0]    tile = covered ? in_data : BLANK;
    wire [VH*TILE-1:0] newest_tiles;
    generate
        if (VH == 1) begin : one_row
            assign newest_tiles = tile;
        end else begin : many_rows
            wire [(VH-1)*TILE-1:0] above;
            line_memory #(.WIDTH((VH - 1) * TILE), .DEPTH(W), .BLANK({(VH - 1){BLANK}})) lines (
                .clk(clk), .rst(rst), .step(step), .covered(column_covered & ~in_tail),
                .covered_next(column_covered_next), .write(newest_tiles[VH*TILE-1:TILE]), .read(above)
            );
            assign newest_tiles = {tile, above};
        end
    endgenerate

    // All pixels that the windows of this step may read, by rows; what lies beside the image is replaced.
    localparam ACROSS = VW * TW;
    wire [VH*TH*ACROSS*WIDTH-1:0] seen;
    genvar x, y, r, c;
    generate
        for (x = 0; x < VW; x = x + 1) begin : tile_column
            wire [VH*TILE-1:0] value;
            if (x == VW - 1) begin : newest
                assign value = newest_tiles;
            end else begin : older
                reg [VH*TILE-1:0] held;
                always @(posedge clk) if (step) held <= tile_column[x+1].value;
                assign value = held;
            end
            for (c = 0; c < TW; c = c + 1) begin : pixel_column
                // Column (place - BEFORE) * TW + x * TW + c of the image.
                localparam FIRST = BEFORE - x;
                localparam SLACK = INSIDE - 1 - c + (BEFORE - x) * TW;
                localparam LAST  = SLACK < 0 ? -1 : SLACK / TW;
                wire entered, left;
                if (FIRST <= 0)                 assign entered = 1'b1;
                else if (FIRST > (NW - 1) * MW) assign entered = 1'b0;
                else                            assign entered = place >= FIRST;
                if (LAST < 0)                   assign left = 1'b1;
                else if (LAST >= (NW - 1) * MW) assign left = 1'b0;
                else                            assign left = place > LAST;
                for (y = 0; y < VH; y = y + 1) begin : tile_row
                    for (r = 0; r < TH; r = r + 1) begin : pixel_row
                        assign seen[((y*TH + r)*ACROSS + x*TW + c)*WIDTH +: WIDTH] =
                            entered & ~left ? value[((y*TH + r)*TW + c)*WIDTH +: WIDTH] : PAD_PIXEL;
                    end
                end
            end
        end
    endgenerate

    genvar p, q, ky, kx;
    generate
        for (p = 0; p < PH; p = p + 1) begin : output_row
            for (q = 0; q < PW; q = q + 1) begin : output_pixel
                for (ky = 0; ky < KH; ky = ky + 1) begin : window_row
                    for (kx = 0; kx < KW; kx = kx + 1) begin : window_pixel
                        localparam ROW    = p * SH + ky - TOP + ABOVE * TH;
                        localparam COLUMN = q * SW + kx - LEFT + BEFORE * TW;
                        localparam TARGET = (((p*PW + q)*KH + ky)*KW + kx) * WIDTH;
                        if (ROW < 0 || ROW >= VH * TH || COLUMN < 0 || COLUMN >= ACROSS) begin : beside_image
                            assign out_data[TARGET +: WIDTH] = PAD_PIXEL;
                        end else begin : in_image
                            assign out_data[TARGET +: WIDTH] = seen[(ROW*ACROSS + COLUMN)*WIDTH +: WIDTH];
                        end
                    end
                end
            end
        end
    endgenerate
endmodule
`default_nettype wire
