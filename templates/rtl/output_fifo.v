// First-in first-out buffer: a word is visible in the cycle after it was written. Never written when full: admission.v
// counts. Written as a small memory with asynchronous read, which maps to distributed RAM.
module output_fifo #(
    parameter WIDTH = 8,
    parameter DEPTH = 2
) (
    input              clk,
    input              rst,
    input              write,
    input  [WIDTH-1:0] in_data,
    output             out_valid,
    input              out_ready,
    output [WIDTH-1:0] out_data,
    output             released
);
    localparam POINTER = DEPTH > 1 ? $clog2(DEPTH) : 1;
    localparam COUNT   = $clog2(DEPTH + 1);
    reg [WIDTH-1:0]   memory [0:DEPTH-1];
    reg [POINTER-1:0] head, tail;
    reg [COUNT-1:0]   count;
    assign out_valid = |count;
    assign out_data  = memory[head];
    assign released  = out_valid & out_ready;
    always @(posedge clk) begin
        if (write) memory[tail] <= in_data;
        if (rst) begin
            head  <= {POINTER{1'b0}};
            tail  <= {POINTER{1'b0}};
            count <= {COUNT{1'b0}};
        end else begin
            if (write)    tail <= tail == DEPTH - 1 ? {POINTER{1'b0}} : tail + 1'b1;
            if (released) head <= head == DEPTH - 1 ? {POINTER{1'b0}} : head + 1'b1;
            if (write & ~released)      count <= count + 1'b1;
            else if (released & ~write) count <= count - 1'b1;
        end
    end
endmodule
