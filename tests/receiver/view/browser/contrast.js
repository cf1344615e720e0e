// Words whose colour is too near that of their ground, as [words, ratio]; WCAG 2.2, 1.4.3.
() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const parse = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (top, under) => [0, 1, 2].map((n) => top[n] * top[3] + under[n] * (1 - top[3]));
    const ground = (element) => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) {
            layers.push(parse(getComputedStyle(at).backgroundColor));
            if (layers.at(-1)[3] === 1) break;
        }
        return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
    };
    const luminance = (color) => color.slice(0, 3).map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    }).reduce((sum, part, n) => sum + part * [0.2126, 0.7152, 0.0722][n], 0);
    const found = [];
    const root = document.querySelector("dialog[open]") ?? document.body;
    for (const element of root.querySelectorAll("*")) {
        const words = [...element.childNodes].filter((node) => node.nodeType === 3 && node.data.trim());
        if (!words.length || !element.checkVisibility({ visibilityProperty: true })) continue;
        if (element.closest("noscript, option, .unseen, [disabled]")) continue;
        const under = ground(element);
        const [a, b] = [luminance(over(parse(getComputedStyle(element).color), under)), luminance(under)];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) found.push([words[0].data.trim().slice(0, 40), Math.round(ratio * 100) / 100]);
    }
    return found;
}
