// Sliding window over an image that comes pixel by pixel, row by row: the windows of a convolution or a pooling, row by
// row, with zeros (or PAD_PIXEL) around the image. One step a cycle at most; a step takes a pixel inside the image,
// none in the padding around it, and offers a window where the stride wants one. Both sides can wait.
//
// KH - 1 rows are kept in one memory of a word for each column of the image, read one column ahead; KW - 1 columns in
// registers.
// The window is in `out_data` row by row, its first pixel in the least significant bits, combinationally.
`default_nettype none
module line_window #(
    parameter WIDTH  = 8,     // bits of a pixel
    parameter H      = 4,
    parameter W      = 4,
    parameter KH     = 3,
    parameter KW     = 3,
    parameter SH     = 1,     // stride
    parameter SW     = 1,
    parameter TOP    = 0,     // padding
    parameter BOTTOM = 0,
    parameter LEFT   = 0,
    parameter RIGHT  = 0,
    parameter [WIDTH-1:0] PAD_PIXEL = 0
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   in_valid,
    output wire                   in_ready,
    input  wire [WIDTH-1:0]       in_data,
    output wire                   out_valid,
    input  wire                   out_ready,
    output wire [KH*KW*WIDTH-1:0] out_data
);
    localparam ROWS = TOP + H + BOTTOM;
    localparam COLS = LEFT + W + RIGHT;
    wire step, last_col, rows_covered, cols_covered, next_covered, row_produces, col_produces;

    scan_axis #(.LENGTH(COLS), .BEFORE(LEFT), .INSIDE(W), .WINDOW(KW), .STRIDE(SW)) columns (
        .clk(clk), .rst(rst), .step(step), .last(last_col), .covered(cols_covered), .covered_next(next_covered),
        .produces(col_produces)
    );
    scan_axis #(.LENGTH(ROWS), .BEFORE(TOP), .INSIDE(H), .WINDOW(KH), .STRIDE(SH)) rows (
        .clk(clk), .rst(rst), .step(step & last_col), .last(), .covered(rows_covered), .covered_next(),
        .produces(row_produces)
    );
    wire covered  = rows_covered & cols_covered;
    wire produces = row_produces & col_produces;
    assign step      = (~covered | in_valid) & (~produces | out_ready);
    assign in_ready  = covered & (~produces | out_ready);
    assign out_valid = produces & (~covered | in_valid);

    // The newest column of the window: the pixels above, from memory, and the pixel of this step.
    wire [WIDTH-1:0]    pixel = covered ? in_data : PAD_PIXEL;
    wire [KH*WIDTH-1:0] column;
    generate
        if (KH == 1) begin : one_row
            assign column = pixel;
        end else begin : many_rows
            wire [(KH-1)*WIDTH-1:0] above;
            line_memory #(.WIDTH((KH - 1) * WIDTH), .DEPTH(W), .BLANK({(KH - 1){PAD_PIXEL}})) lines (
                .clk(clk), .rst(rst), .step(step), .covered(cols_covered), .covered_next(next_covered),
                .write(column[KH*WIDTH-1:WIDTH]), .read(above)
            );
            assign column = {pixel, above};
        end
    endgenerate

    genvar y, x;
    generate
        for (x = 0; x < KW; x = x + 1) begin : window_column
            wire [KH*WIDTH-1:0] value;
            if (x == KW - 1) begin : newest
                assign value = column;
            end else begin : older
                reg [KH*WIDTH-1:0] held;
                always @(posedge clk) if (step) held <= window_column[x+1].value;
                assign value = held;
            end
            for (y = 0; y < KH; y = y + 1) begin : window_row
                assign out_data[(y*KW + x)*WIDTH +: WIDTH] = value[y*WIDTH +: WIDTH];
            end
        end
    endgenerate
endmodule
`default_nettype wire
