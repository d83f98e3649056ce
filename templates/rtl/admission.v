// Lets a vector in when the pipeline can take it: at most one every INTERVAL cycles, and never more at a time than the
// output FIFO can hold. So nothing behind it ever has to stall, and its latency is constant.
module admission #(
    parameter INTERVAL = 1,   // initiation interval of the pipeline
    parameter CREDITS  = 2    // vectors that fit into the output FIFO
) (
    input  clk,
    input  rst,
    input  in_valid,
    output in_ready,
    output accept,            // a vector enters in this cycle
    input  released           // a vector leaves the output FIFO in this cycle
);
    localparam CREDIT_WIDTH = $clog2(CREDITS + 1);
    reg  [CREDIT_WIDTH-1:0] credits;
    reg  awake;
    wire pause;
    assign in_ready = awake & ~pause & |credits;
    assign accept   = in_valid & in_ready;
    always @(posedge clk) awake <= ~rst;
    always @(posedge clk)
        if (rst)                     credits <= CREDITS;
        else if (accept & ~released) credits <= credits - 1'b1;
        else if (released & ~accept) credits <= credits + 1'b1;
    generate
        if (INTERVAL == 1) begin : always_open
            assign pause = 1'b0;
        end else begin : throttle
            localparam WIDTH = $clog2(INTERVAL);
            reg [WIDTH-1:0] left;
            assign pause = |left;
            always @(posedge clk)
                if (rst)         left <= {WIDTH{1'b0}};
                else if (accept) left <= INTERVAL - 1;
                else if (pause)  left <= left - 1'b1;
        end
    endgenerate
endmodule
