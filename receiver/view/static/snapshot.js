// Snapshot: saves what is on the screen, with what is drawn over it, as a PNG.

// `screens` stand side by side in the file.
export function save(screens) {
  const stills = screens.map((screen) => screen.still());
  const canvas = document.createElement("canvas");
  canvas.width = stills.reduce((sum, still) => sum + still.width, 0);
  canvas.height = Math.max(...stills.map((still) => still.height));
  const context = canvas.getContext("2d");
  let x = 0;
  for (const still of stills) {
    context.drawImage(still, x, 0);
    x += still.width;
  }
  const { camera, captured_at: at } = screens[0].head;
  const time = new Date(at * 1000).toISOString().replaceAll(":", "-");
  const name = camera.replaceAll(/[^\w.-]/g, "_");
  canvas.toBlob((blob) => keep(blob, `${name}_${time}.png`), "image/png");
}

// Gives the browser's user a file: a blob, or what is at an address.
export function keep(content, name) {
  const link = document.createElement("a");
  const made = content instanceof Blob ? URL.createObjectURL(content) : null;
  link.href = made ?? content;
  link.download = name;
  link.click();
  if (made) setTimeout(() => URL.revokeObjectURL(made), 60_000);
}
