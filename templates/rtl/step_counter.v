// Counts the steps of a round: 0, 1 ... LENGTH - 1, 0 ... `last` is a register, since ready signals depend on it.
`default_nettype none
module step_counter #(
    parameter LENGTH = 4
) (
    input  wire                                         clk,
    input  wire                                         rst,
    input  wire                                         step,
    output wire [(LENGTH > 1 ? $clog2(LENGTH) : 1)-1:0] at,
    output wire [(LENGTH > 1 ? $clog2(LENGTH) : 1)-1:0] next,  // after the next step
    output wire                                         last
);
    localparam BITS = LENGTH > 1 ? $clog2(LENGTH) : 1;
    generate
        if (LENGTH == 1) begin : still
            assign at   = 1'b0;
            assign next = 1'b0;
            assign last = 1'b1;
        end else begin : counting
            reg [BITS-1:0] position;
            reg at_end;
            wire [BITS-1:0] following;
            increment #(.WIDTH(BITS)) count (.in(position), .out(following));
            assign at   = position;
            assign next = at_end ? {BITS{1'b0}} : following;
            assign last = at_end;
            always @(posedge clk)
                if (rst) begin
                    position <= {BITS{1'b0}};
                    at_end   <= 1'b0;
                end else if (step) begin
                    position <= next;
                    at_end   <= next == LENGTH - 1;
                end
        end
    endgenerate
endmodule
`default_nettype wire
