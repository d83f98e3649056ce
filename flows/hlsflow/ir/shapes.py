"""What shape a node must have.

In: a node and the nodes it reads. Out: the shapes that its result may have, without the batch axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from hlsflow.ir.graph import Node, Op, image

Shape = tuple[int, ...]


def result_shapes(node: Node, sources: list[Node]) -> list[Shape]:
    """The shapes that a node may have: one, or for a global pooling with and without its axes of length 1.

    An empty list says that no shape fits: the inputs do not fit together, or the window is larger than the image.
    """
    return _SHAPES[node.op](node, *(source.shape for source in sources))


def _input(node: Node) -> list[Shape]:
    return [node.shape]


def _same(node: Node, *sources: Shape) -> list[Shape]:
    return [sources[0]] if len(set(sources)) == 1 else []


def _dense(node: Node, source: Shape) -> list[Shape]:
    weight = node.params["weight"].shape
    return [weight[1:]] if source == weight[:1] else []


def _conv(node: Node, source: Shape) -> list[Shape]:
    weight = node.params["weight"].shape
    return _slid(node, source, weight[:2], weight[3]) if source[-1] == weight[2] else []


def _depthwise(node: Node, source: Shape) -> list[Shape]:
    weight = node.params["weight"].shape
    return _slid(node, source, weight[:2], weight[2]) if source[-1] == weight[2] else []


def _pool(node: Node, source: Shape) -> list[Shape]:
    shapes = _slid(node, source, node.attrs["window"], source[-1])
    if node.attrs["window"] == image(source)[:2] and not any(node.attrs["pad"]):
        shapes.append(source[-1:])
    return shapes


def _slid(node: Node, source: Shape, window: Shape, channels: int) -> list[Shape]:
    """The shape after a window has slid over an image."""
    top, bottom, left, right = node.attrs["pad"]
    h, w, _ = image(source)
    free = h + top + bottom - window[0], w + left + right - window[1]
    if min(free) < 0:
        return []
    pixels = tuple(room // step + 1 for room, step in zip(free, node.attrs["stride"], strict=True))
    return [_of_rank(len(source), *pixels, channels)]


def _zero_pad(node: Node, source: Shape) -> list[Shape]:
    top, bottom, left, right = node.attrs["pad"]
    h, w, c = image(source)
    return [_of_rank(len(source), h + top + bottom, w + left + right, c)]


def _upsample(node: Node, source: Shape) -> list[Shape]:
    rows, columns = node.attrs["factor"]
    h, w, c = image(source)
    return [_of_rank(len(source), h * rows, w * columns, c)]


def _of_rank(rank: int, *shape: int) -> Shape:
    return shape[3 - rank :]


def _reshape(node: Node, source: Shape) -> list[Shape]:
    return [node.shape] if math.prod(source) == node.size else []


def _permute(node: Node, source: Shape) -> list[Shape]:
    axes = node.attrs["axes"]
    return [tuple(source[axis] for axis in axes)] if sorted(axes) == list(range(len(source))) else []


def _concat(node: Node, *sources: Shape) -> list[Shape]:
    (axis,) = node.attrs["axis"]
    if len({shape[:axis] + shape[axis + 1 :] for shape in sources}) > 1 or not 0 <= axis < len(sources[0]):
        return []
    return [sources[0][:axis] + (sum(shape[axis] for shape in sources),) + sources[0][axis + 1 :]]


_SHAPES: Mapping[Op, Callable[..., list[Shape]]] = {
    **dict.fromkeys(Op, _same),
    Op.INPUT: _input,
    Op.DENSE: _dense,
    Op.CONV: _conv,
    Op.DEPTHWISE: _depthwise,
    Op.MAX_POOL: _pool,
    Op.AVG_POOL: _pool,
    Op.ZERO_PAD: _zero_pad,
    Op.UPSAMPLE: _upsample,
    Op.RESHAPE: _reshape,
    Op.PERMUTE: _permute,
    Op.CONCAT: _concat,
}
