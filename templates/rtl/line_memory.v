// A memory with one word for each pixel of a row. At each step the word of the present pixel is rewritten and that of
// the next one read, which is `read` from the next step on; so reading takes no cycle of its own and suits block RAM.
// In the padding beside the image nothing is written, and BLANK is read.
//
// On ECP5, more than 16 words take block RAM where they fill a ninth of one: 32 words of LUT RAM cost 4 LUTs a bit there
// (0.7 on 7 series). Smaller ones stay in LUTs, as a block RAM is slow: 5.8 ns from clock to output.
`default_nettype none
module line_memory #(
    parameter WIDTH = 8,
    parameter DEPTH = 4,
    parameter [WIDTH-1:0] BLANK = 0
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             step,
    input  wire             covered,       // there is a pixel in this step
    input  wire             covered_next,  // there will be one in the next step
    input  wire [WIDTH-1:0] write,
    output reg  [WIDTH-1:0] read
);
`ifdef HLSFLOW_ECP5
    localparam BLOCK = DEPTH > 16 && DEPTH * WIDTH > 2048;
`else
    localparam BLOCK = 0;
`endif
    localparam BITS = DEPTH > 1 ? $clog2(DEPTH) : 1;
    wire [BITS-1:0] at, next;
    step_counter #(.LENGTH(DEPTH)) pixel (
        .clk(clk), .rst(rst), .step(step & covered), .at(at), .next(next), .last()
    );
    generate
        if (DEPTH == 1) begin : one_word
            reg [WIDTH-1:0] word;
            always @(posedge clk) if (step) begin
                if (covered) word <= write;
                read <= ~covered_next ? BLANK : covered ? write : word;
            end
        end else if (BLOCK) begin : block
            (* ram_style = "block", no_rw_check *) reg [WIDTH-1:0] words [0:DEPTH-1];
            always @(posedge clk) if (step) begin
                if (covered) words[at] <= write;
                read <= covered_next ? words[covered ? next : at] : BLANK;
            end
        end else begin : any
            (* no_rw_check *) reg [WIDTH-1:0] words [0:DEPTH-1];
            always @(posedge clk) if (step) begin
                if (covered) words[at] <= write;
                read <= covered_next ? words[covered ? next : at] : BLANK;
            end
        end
    endgenerate
endmodule
`default_nettype wire
