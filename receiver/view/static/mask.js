// Mask: a region of the picture, pixel by pixel, told by the lengths of its runs.

const scratch = document.createElement("canvas");

// Returns a canvas of the mask's own size, coloured where the mask is set. It is the same canvas
// each time, so draw it before the next call.
export function maskOf({ box, rle }, color) {
  const [, , width, height] = box;
  scratch.width = width;
  scratch.height = height;
  const context = scratch.getContext("2d");
  context.fillStyle = color;
  // Runs go row by row, beginning with what is not set; one may go on in the next row.
  let at = 0;
  rle.forEach((length, n) => {
    const end = Math.min(at + length, width * height);
    while (n % 2 && at < end) {
      const row = Math.floor(at / width);
      const inside = Math.min(end, (row + 1) * width) - at;
      context.fillRect(at % width, row, inside, 1);
      at += inside;
    }
    at = end;
  });
  return scratch;
}
