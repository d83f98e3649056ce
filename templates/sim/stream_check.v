// Takes a stream and compares it with the words of a file (hexadecimal, one a line). With `stall`, it is often not
// ready.
`default_nettype none
module stream_check #(
    parameter WIDTH = 8,
    parameter WORDS = 1,
    parameter BEATS = 1,         // words of a frame
    parameter FILE  = "out.hex",
    parameter NAME  = "out",
    parameter SEED  = 1
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             stall,
    input  wire             valid,
    output wire             ready,
    input  wire [WIDTH-1:0] data,
    output wire             complete,  // all words have come
    output reg  [31:0]      errors     // words that differ, in this pass
);
    reg [WIDTH-1:0] words [0:WORDS-1];
    reg [15:0] random;
    integer at;
    reg willing;
    initial $readmemh(FILE, words);
    assign complete = at == WORDS;
    assign ready    = willing;
    always @(posedge clk)
        if (rst) begin
            at      <= 0;
            errors  <= 0;
            willing <= 1'b0;
            random  <= 16'hbeef + SEED;
        end else begin
            random  <= {random[14:0], random[15] ^ random[13] ^ random[12] ^ random[10]};
            willing <= ~stall | random[0] & random[7];
            if (valid & ready & ~complete) begin
                at <= at + 1;
                if (data !== words[at]) begin
                    errors <= errors + 1;
                    if (errors < 10)
                        $display("%0s: frame %0d, beat %0d is %h, expected %h",
                            NAME, at / BEATS, at % BEATS, data, words[at]);
                end
            end
        end
endmodule
`default_nettype wire
