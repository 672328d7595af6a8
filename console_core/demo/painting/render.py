"""Render a scene as a picture."""

import random

from PIL import Image

from console_core.demo.painting.canvas import Canvas
from console_core.demo.painting.charts import paint_chart
from console_core.demo.painting.landscape import paint_landscape
from console_core.demo.painting.shapes import paint_shapes
from console_core.demo.painting.studio import paint_studio
from console_core.demo.scene import Chart, Landscape, Scene, Shapes, Studio


def render(scene: Scene, size: int) -> Image.Image:
    """An RGB picture of size × size pixels; painted at twice the size and reduced, for smooth edges."""
    canvas = Canvas(2 * size)
    rng = random.Random(scene.seed * 104729 + 7)
    match scene:
        case Landscape():
            paint_landscape(canvas, scene, rng)
        case Studio():
            paint_studio(canvas, scene, rng)
        case Shapes():
            paint_shapes(canvas, scene, rng)
        case Chart():
            paint_chart(canvas, scene, rng)
    return canvas.image.reduce(2)
