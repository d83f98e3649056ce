// The largest, or the sum, of each lane over BEATS beats. The last beat passes straight through: the result is offered
// in its cycle, and that beat is taken when the result is.
`default_nettype none
module stream_reduce #(
    parameter LANES    = 1,
    parameter IN_WIDTH = 8,
    parameter SIGNED   = 1,     // of the values that come in
    parameter WIDTH    = 8,     // of the result; a sum is kept modulo 2**WIDTH, a maximum has WIDTH = IN_WIDTH
    parameter BEATS    = 4,
    parameter MAXIMUM  = 0
) (
    input  wire                      clk,
    input  wire                      rst,
    input  wire                      in_valid,
    output wire                      in_ready,
    input  wire [LANES*IN_WIDTH-1:0] in_data,
    output wire                      out_valid,
    input  wire                      out_ready,
    output wire [LANES*WIDTH-1:0]    out_data
);
    wire last;
    wire step = in_valid & in_ready;
    step_counter #(.LENGTH(BEATS)) counter (.clk(clk), .rst(rst), .step(step), .at(), .next(), .last(last));
    reg first;
    always @(posedge clk)
        if (rst)       first <= 1'b1;
        else if (step) first <= last;
    assign in_ready  = ~last | out_ready;
    assign out_valid = in_valid & last;
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : lane
            wire [IN_WIDTH-1:0] value = in_data[i*IN_WIDTH +: IN_WIDTH];
            reg  [WIDTH-1:0] so_far;
            wire [WIDTH-1:0] now;
            always @(posedge clk) if (step) so_far <= now;
            assign out_data[i*WIDTH +: WIDTH] = now;
            if (MAXIMUM) begin : largest
                wire above;
                if (SIGNED) assign above = $signed(value) > $signed(so_far);
                else        assign above = value > so_far;
                assign now = first | above ? value : so_far;
            end else begin : sum
                wire [WIDTH-1:0] term;
                if (SIGNED) assign term = $signed(value);
                else        assign term = value;
                assign now = term + (first ? {WIDTH{1'b0}} : so_far);
            end
        end
    endgenerate
endmodule
`default_nettype wire
