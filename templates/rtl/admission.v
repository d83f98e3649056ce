// Lets a vector in when the pipeline can take it: at most one every INTERVAL cycles, and never more at a time than each
// of the FIFOs at its end can hold. So nothing behind it ever has to stall, and its latency is constant.
`default_nettype none
module admission #(
    parameter INTERVAL = 1,   // initiation interval of the pipeline
    parameter READERS  = 1,   // FIFOs, one for each reader of the results
    parameter [32*READERS-1:0] CREDITS = 2    // vectors that fit into each of them, 32 bits for each number
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               in_valid,
    output reg                in_ready,  // a register: the way to the source and back is often the longest one
    output wire               accept,    // a vector enters in this cycle
    input  wire [READERS-1:0] released   // a vector leaves that FIFO in this cycle
);
    wire [READERS-1:0] credit_next;  // whether the FIFO has room in the next cycle
    wire rested_next;         // whether INTERVAL has passed since the last vector, in the next cycle
    assign accept = in_valid & in_ready;
    always @(posedge clk) in_ready <= ~rst & (&credit_next) & rested_next;
    genvar r;
    generate
        for (r = 0; r < READERS; r = r + 1) begin : reader
            localparam [31:0] ROOM = CREDITS[32*r +: 32];
            localparam WIDTH = $clog2(ROOM + 1);
            reg [WIDTH-1:0] credits;
            wire take = accept & ~released[r];
            wire give = released[r] & ~accept;
            assign credit_next[r] = give | (take ? credits != 1 : credits != 0);
            always @(posedge clk)
                if (rst)       credits <= ROOM;
                else if (take) credits <= credits - 1'b1;
                else if (give) credits <= credits + 1'b1;
        end
        if (INTERVAL == 1) begin : always_rested
            assign rested_next = 1'b1;
        end else begin : throttle
            localparam WIDTH = $clog2(INTERVAL);
            reg [WIDTH-1:0] left;
            assign rested_next = ~accept & left <= 1;
            always @(posedge clk)
                if (rst)             left <= {WIDTH{1'b0}};
                else if (accept)     left <= INTERVAL - 1;
                else if (left != 0)  left <= left - 1'b1;
        end
    endgenerate
endmodule
`default_nettype wire
