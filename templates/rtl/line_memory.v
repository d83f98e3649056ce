// A memory with one word for each column of an image. At each step the word of the present column is rewritten and that
// of the next one read, which is `read` from the next step on; so reading takes no cycle of its own and suits block RAM.
module line_memory #(
    parameter WIDTH         = 8,
    parameter DEPTH         = 4,
    parameter ADDRESS_WIDTH = 2
) (
    input                     clk,
    input                     step,
    input [ADDRESS_WIDTH-1:0] at,
    input [ADDRESS_WIDTH-1:0] next,
    input [WIDTH-1:0]         write,
    output reg [WIDTH-1:0]    read
);
    generate
        if (DEPTH == 1) begin : one_word
            always @(posedge clk) if (step) read <= write;
        end else begin : memory
            reg [WIDTH-1:0] words [0:DEPTH-1];
            always @(posedge clk) if (step) begin
                words[at] <= write;
                read      <= words[next];
            end
        end
    endgenerate
endmodule
