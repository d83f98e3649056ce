"""The oracle against the C++ that hls4ml compiles: softmax, averages and merges, straight from its headers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import hls4ml
import numpy as np
import pytest

from hlsflow.ir import Fixed, Graph, Node, Op, evaluate, verify
from hlsflow.ir.fixed import Array
from hlsflow.toolchains import gxx, process

TEMPLATES = Path(hls4ml.__file__).parent / "templates" / "vivado"
ROWS = 200

HEAD = """
#include <cstdio>
#include "nnet_utils/nnet_activation.h"
#include "nnet_utils/nnet_merge.h"
#include "nnet_utils/nnet_pooling.h"
template <class T> T in(long code) { T x; x.range() = code; return x; }
template <class T> void out(T x) { ap_int<T::width + 1> code; code = x.range(); printf("%ld ", (long)code); }
template <class T> void read(FILE *f, T *x, int n) { long c; while (n--) { fscanf(f, "%ld", &c); *x++ = in<T>(c); } }
"""
"""Codes are printed as bit patterns, without a sign."""

SOFTMAX = """
struct c{i} {{
    static const unsigned n_slice = {n}, n_in = {n}, exp_table_size = {exp_size}, inv_table_size = {inv_size};
    static constexpr float exp_scale = 1.0;
    typedef {norm} inp_norm_t; typedef {exp} exp_table_t; typedef {accum} accum_t;
    typedef {inv_in} inv_inp_t; typedef {inv} inv_table_t;
}};
void f{i}(FILE *f) {{
    static {inv} inv[{inv_size}]; static {exp} exp[{exp_size}];
    nnet::init_exp_table<{norm}, c{i}>(exp, {stable}); nnet::init_invert_table<{inv_in}, c{i}>(inv);
    for (auto x : exp) out(x); for (auto x : inv) out(x);
    for (int row = 0; row < {rows}; row++) {{
        {x} x[{n}]; {y} y[{n}]; read(f, x, {n});
        nnet::softmax_{name}<{x}, {y}, c{i}>(x, y);
        for (auto v : y) out(v);
    }}
    printf("\\n");
}}
"""

POOL = """
struct c{i} : nnet::pooling2d_config {{
    static const unsigned in_height = 5, in_width = 4, n_filt = 2, pool_height = 3, pool_width = 2;
    static const unsigned stride_height = 2, stride_width = 1, out_height = 3, out_width = 4;
    static const unsigned pad_top = 1, pad_bottom = 1, pad_left = 0, pad_right = 1;
    static const bool count_pad = {count_pad};
    static const nnet::Pool_Op pool_op = nnet::Average;
    typedef {accum} accum_t;
}};
void f{i}(FILE *f) {{
    for (int row = 0; row < {rows}; row++) {{
        {x} x[40]; {y} y[24]; read(f, x, 40);
        nnet::pooling2d_cl<{x}, {y}, c{i}>(x, y);
        for (auto v : y) out(v);
    }}
    printf("\\n");
}}
"""

MERGE = """
struct c{i} {{ static const unsigned n_elem = 8, n_elem1 = 8, n_elem2 = 8; }};
void f{i}(FILE *f) {{
    for (int row = 0; row < {rows}; row++) {{
        {x} x[8]; {x1} x1[8]; {y} y[8]; read(f, x, 8); read(f, x1, 8);
        nnet::{name}<{x}, {x1}, {y}, c{i}>(x, x1, y);
        for (auto v : y) out(v);
    }}
    printf("\\n");
}}
"""

X, RESULT = Fixed(8, 3), Fixed.parse("ufixed<12,1,RND,SAT>")


def softmax_graph(n: int, form: int, types: str, sizes: tuple[int, int]) -> Graph:
    kinds = dict(zip(("norm", "exp", "accum", "inv_in", "inv"), map(Fixed.parse, types.split()), strict=True))
    params = {"exp": np.zeros(sizes[0], int), "inv": np.zeros(sizes[1], int)}
    node = Node("y", Op.SOFTMAX, ("x",), (n,), RESULT, kinds, params, {"form": (form,)})
    return verify(Graph("g", (Node("x", Op.INPUT, (), (n,), X), node), ("y",)))


def pool_graph(x: str, accum: str, result: str, count_pad: int) -> Graph:
    attrs = {"window": (3, 2), "stride": (2, 1), "pad": (1, 1, 0, 1), "count_pad": (count_pad,)}
    kinds = {"accum": Fixed.parse(accum)}
    node = Node("y", Op.AVG_POOL, ("x",), (3, 4, 2), Fixed.parse(result), kinds, {}, attrs)
    return verify(Graph("g", (Node("x", Op.INPUT, (), (5, 4, 2), Fixed.parse(x)), node), ("y",)))


def merge_graph(op: Op, result: str) -> Graph:
    left, right = (Node(f"x{i}", Op.INPUT, (), (8,), kind) for i, kind in enumerate((Fixed(9, 4), Fixed(7, 6, False))))
    return verify(Graph("g", (left, right, Node("y", op, ("x0", "x1"), (8,), Fixed.parse(result))), ("y",)))


GRAPHS = [
    softmax_graph(7, 0, "ufixed<8,4> ufixed<10,1,RND,SAT> ufixed<12,4,RND,SAT> ufixed<9,4> ufixed<11,1>", (256, 512)),
    softmax_graph(5, 0, "fixed<9,5,RND,SAT> fixed<10,2,RND,SAT> fixed<11,4> fixed<8,5,RND,SAT> fixed<9,1>", (64, 128)),
    softmax_graph(6, 1, "fixed<8,3> fixed<14,6,RND,SAT> fixed<13,7,RND,SAT> fixed<10,6> fixed<12,3>", (256, 256)),
    softmax_graph(1, 1, "fixed<8,3> fixed<12,2> fixed<14,6> fixed<10,6> fixed<12,3>", (128, 1024)),
    pool_graph("fixed<8,3>", "fixed<12,7>", "fixed<9,3,RND_CONV,SAT>", 0),
    pool_graph("fixed<8,3>", "fixed<9,3>", "fixed<7,3>", 1),
    pool_graph("ufixed<6,2>", "ufixed<9,5>", "ufixed<6,2,RND,SAT>", 0),
    pool_graph("fixed<8,3>", "fixed<8,5>", "fixed<9,4>", 0),
    *(
        merge_graph(op, kind)
        for op in (Op.ADD, Op.SUBTRACT, Op.MULTIPLY, Op.AVERAGE, Op.MAXIMUM, Op.MINIMUM)
        for kind in ("fixed<10,5,RND_CONV,SAT>", "ufixed<9,7>")
    ),
]


def cpp(kind: Fixed) -> str:
    return f"ap_{'' if kind.signed else 'u'}fixed<{kind.width},{kind.integer},AP_{kind.rounding},AP_{kind.overflow}>"


def source(i: int, graph: Graph) -> str:
    node = graph["y"]
    words = {"i": i, "rows": ROWS, "y": cpp(node.type), "n": node.shape[-1], "x": cpp(graph.inputs[0].type)}
    words |= {"x1": cpp(graph.inputs[-1].type)} | {key: cpp(kind) for key, kind in node.types.items()}
    if node.op is Op.SOFTMAX:
        stable = node.attrs["form"] == (0,)
        words |= {f"{key}_size": len(value) for key, value in node.params.items()}
        return SOFTMAX.format(**words, stable=str(stable).lower(), name="stable" if stable else "latency")
    if node.op is Op.AVG_POOL:
        return POOL.format(**words, count_pad=node.attrs["count_pad"][0])
    return MERGE.format(**words, name=node.op.value)


def signed(pattern: Array, kind: Fixed) -> Array:
    return pattern - ((pattern >> (kind.width - 1)) << kind.width) if kind.signed else pattern


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Array], list[Array]]:
    """Inputs, and printed bit patterns, of every graph: one program for all."""
    folder, rng = tmp_path_factory.mktemp("headers"), np.random.default_rng(7)
    inputs = [
        np.concatenate([rng.integers(x.type.min, x.type.max + 1, (ROWS, x.size)) for x in graph.inputs], axis=1)
        for graph in GRAPHS
    ]
    calls = "".join(f"f{i}(f);" for i in range(len(GRAPHS)))
    bodies = "".join(source(i, graph) for i, graph in enumerate(GRAPHS))
    main = f'int main() {{ FILE *f = fopen("x.txt", "r"); freopen("y.txt", "w", stdout); {calls} }}'
    (folder / "p.cpp").write_text(HEAD + bodies + main)
    (folder / "x.txt").write_text(" ".join(str(code) for x in inputs for code in x.ravel().tolist()))
    include = [f"-I{TEMPLATES}", f"-I{TEMPLATES / 'ap_types'}", "-w", "-std=c++17"]
    gxx.compile(["p.cpp"], "p", include, folder, folder / "compile.log")
    process.run(["./p"], folder=folder, log=folder / "log", timeout_s=60, tool="hls4ml headers")
    return inputs, [np.array(line.split(), np.int64) for line in (folder / "y.txt").read_text().splitlines()]


@pytest.mark.parametrize("i", range(len(GRAPHS)), ids=[f"{graph['y'].op}" for graph in GRAPHS])
def test_equals_hls4mls_headers(i: int, ran: tuple[list[Array], list[Array]]) -> None:
    graph, x, printed = GRAPHS[i], ran[0][i], ran[1][i]
    node, tables = graph["y"], {}
    for key, kind in ((key, node.types[key]) for key in node.params):  # the tables as the headers fill them
        tables[key], printed = np.split(printed, [len(node.params[key])])
        tables[key] = signed(tables[key], kind)
    want = signed(printed, node.type).reshape(ROWS, node.size)
    assert len(np.unique(want)) > 10
    full = verify(replace(graph, nodes=(*graph.nodes[:-1], replace(node, params=tables))))
    np.testing.assert_array_equal(evaluate(full, x), want)
