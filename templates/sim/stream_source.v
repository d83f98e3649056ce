// Sends the words of a file (hexadecimal, one a line) to a stream. With `stall`, it pauses now and then; a word that
// has been offered stays until it is taken.
`default_nettype none
module stream_source #(
    parameter WIDTH = 8,
    parameter WORDS = 1,
    parameter FILE  = "in.hex",
    parameter SEED  = 1
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             stall,
    output wire             valid,
    input  wire             ready,
    output wire [WIDTH-1:0] data
);
    reg [WIDTH-1:0] words [0:WORDS-1];
    reg [15:0] random;
    integer at;
    reg willing;
    initial $readmemh(FILE, words);
    assign valid = willing & at < WORDS;
    assign data  = words[valid ? at : 0];
    always @(posedge clk)
        if (rst) begin
            at      <= 0;
            willing <= 1'b0;
            random  <= 16'hace1 + SEED;
        end else begin
            random <= {random[14:0], random[15] ^ random[13] ^ random[12] ^ random[10]};
            if (valid & ready) at <= at + 1;
            if (~valid | ready) willing <= ~stall | random[0] | random[7];
        end
endmodule
`default_nettype wire
