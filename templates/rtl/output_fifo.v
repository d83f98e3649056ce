// First-in first-out buffer: a word is visible in the cycle after it was written. Never written when full: admission.v
// counts. Written as a small memory with asynchronous read, which maps to distributed RAM; on ECP5, where that takes
// 1.5 LUTs a bit, two words are cheaper in flip-flops.
`default_nettype none
module output_fifo #(
    parameter WIDTH = 8,
    parameter DEPTH = 2
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             write,
    input  wire [WIDTH-1:0] in_data,
    output reg              out_valid,
    input  wire             out_ready,
    output wire [WIDTH-1:0] out_data,
    output wire             released
);
    localparam BITS = DEPTH > 1 ? $clog2(DEPTH) : 1;
`ifdef HLSFLOW_ECP5
    localparam FEW = DEPTH <= 2;
`else
    localparam FEW = DEPTH == 1;
`endif
    wire [BITS-1:0] head, next_head, tail;
    step_counter #(.LENGTH(DEPTH)) reading (
        .clk(clk), .rst(rst), .step(released), .at(head), .next(next_head), .last()
    );
    step_counter #(.LENGTH(DEPTH)) writing (
        .clk(clk), .rst(rst), .step(write), .at(tail), .next(), .last()
    );
    assign released = out_valid & out_ready;
    always @(posedge clk)
        if (rst)           out_valid <= 1'b0;
        else if (write)    out_valid <= 1'b1;
        else if (released) out_valid <= next_head != tail;
    generate
        if (FEW) begin : flip_flops
            (* ram_style = "registers" *) reg [WIDTH-1:0] words [0:DEPTH-1];
            always @(posedge clk) if (write) words[tail] <= in_data;
            assign out_data = words[head];
        end else begin : memory
            reg [WIDTH-1:0] words [0:DEPTH-1];
            always @(posedge clk) if (write) words[tail] <= in_data;
            assign out_data = words[head];
        end
    endgenerate
endmodule
`default_nettype wire
