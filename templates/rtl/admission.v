// Lets a vector in when the pipeline can take it: at most one every INTERVAL cycles, and never more at a time than the
// output FIFO can hold. So nothing behind it ever has to stall, and its latency is constant.
module admission #(
    parameter INTERVAL = 1,   // initiation interval of the pipeline
    parameter CREDITS  = 2    // vectors that fit into the output FIFO
) (
    input      clk,
    input      rst,
    input      in_valid,
    output reg in_ready,      // a register: its way to the source and back is often the longest of the design
    output     accept,        // a vector enters in this cycle
    input      released       // a vector leaves the output FIFO in this cycle
);
    localparam CREDIT_WIDTH = $clog2(CREDITS + 1);
    reg  [CREDIT_WIDTH-1:0] credits;
    wire take = accept & ~released;
    wire give = released & ~accept;
    wire credit_next = give | (take ? credits != 1 : credits != 0);
    wire rested_next;         // whether INTERVAL has passed since the last vector, in the next cycle
    assign accept = in_valid & in_ready;
    always @(posedge clk) begin
        in_ready <= ~rst & credit_next & rested_next;
        if (rst)       credits <= CREDITS;
        else if (take) credits <= credits - 1'b1;
        else if (give) credits <= credits + 1'b1;
    end
    generate
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
