// The drawing: one canvas, redrawn as a whole in about a millisecond.

const LEFT = 46; // px, for the numbers next to an axis
const RIGHT = 10;
const HEADER = 21;
const AXIS = 36;
const GAP = 6;
const NARROW = 420; // of the traces: a phone, or a page at 200 %

export function makePicture(canvas, host) {
    const ctx = canvas.getContext("2d");
    let theme = {};
    let boxes = []; // where the panels are

    function readTheme() {
        const style = getComputedStyle(host);
        theme = { text: style.color, font: style.fontFamily, dark: host.style.colorScheme === "dark" };
    }

    // Where each panel is on a canvas of this width, from top to bottom; returns the height of all.
    function layout(panels, width, unit) {
        let y = 0;
        boxes = panels.map((panel) => {
            const entries = entriesOf(panel, width - LEFT - RIGHT);
            const rows = 1 + Math.max(...entries.map(([, row]) => row));
            const box = { panel, entries, rows, x: LEFT, y: y + HEADER * rows, width: width - LEFT - RIGHT, height: Math.round(unit * panel.size) };
            y = box.y + box.height + GAP;
            return box;
        });
        return y - GAP + AXIS;
    }

    // Where the name and number of each line are above a panel: [x, row].
    function entriesOf(panel, room) {
        ctx.font = `600 12px ${theme.font}`;
        let [x, row] = [ctx.measureText(panel.label).width + 20, 0];
        return panel.lines.map((line) => {
            const width = 26 + writeName(line.name, 0) + 5 + ctx.measureText(line.isGate ? "0.000" : "−0000").width + 12;
            if (x + width > room + RIGHT && x > 0) [x, row] = [0, row + 1];
            x += width;
            return [x - width, row];
        });
    }

    // Write a name with its index lowered, or without y only measure it; returns where it ends.
    function writeName(name, x, y = null) {
        for (const [lowered, part] of split(name).entries()) {
            ctx.font = `${lowered ? 9 : 12}px ${theme.font}`;
            if (y !== null) ctx.fillText(part, x, y + 3 * lowered);
            x += ctx.measureText(part).width;
        }
        ctx.font = `12px ${theme.font}`;
        return x;
    }

    const colourOf = (look) => (theme.dark ? look.on_dark : look.colour);

    function pen(look, width = 1.7) {
        ctx.strokeStyle = colourOf(look);
        ctx.lineWidth = width;
        ctx.setLineDash(look.dashes.map((dash) => Math.max(dash * width, 1)));
        ctx.lineJoin = "round";
    }

    function header(box, at) {
        const { panel } = box;
        const top = box.y - HEADER * box.rows + 14;
        write(panel.label, box.x, top, "left", "600 12px");
        for (const [i, line] of panel.lines.entries()) {
            const [x, y] = [box.x + box.entries[i][0], top + (HEADER - 3) * box.entries[i][1]];
            pen(line.look, 2);
            strokeLine(x, y - 4, x + 21, y - 4);
            const after = writeName(line.name, x + 26, y);
            if (at !== null) write(reading(line.values[at], line.isGate), after + 5, y, "left", "12px");
        }
    }

    function write(text, x, y, align, font) {
        ctx.font = `${font} ${theme.font}`;
        ctx.fillStyle = theme.text;
        ctx.textAlign = align;
        ctx.fillText(text, x, y);
    }

    // A thin line in the colour of the text.
    function thinLine(x0, y0, x1, y1, alpha, dashes = []) {
        ctx.setLineDash(dashes);
        ctx.lineWidth = 1;
        ctx.strokeStyle = theme.text;
        ctx.globalAlpha = alpha;
        strokeLine(x0, y0, x1, y1);
        ctx.globalAlpha = 1;
    }

    function strokeLine(x0, y0, x1, y1) {
        ctx.beginPath();
        ctx.moveTo(x0, y0);
        ctx.lineTo(x1, y1);
        ctx.stroke();
    }

    function frame(box, ticks, yOf) {
        for (const tick of ticks) {
            const y = Math.round(yOf(tick)) + 0.5;
            thinLine(box.x, y, box.x + box.width, y, 0.14);
            write(tickText(tick), box.x - 6, y + 3.5, "right", "11px");
        }
        thinLine(box.x - 0.5, box.y, box.x - 0.5, box.y + box.height, 0.6);
    }

    function bottomAxis(box, ticks, xOf, label) {
        const y = box.y + box.height + 1.5;
        thinLine(box.x - 0.5, y, box.x + box.width, y, 0.6);
        for (const tick of ticks) {
            const x = Math.round(xOf(tick)) + 0.5;
            thinLine(x, y, x, y + 4, 0.6);
            write(tickText(tick), xOf(tick), y + 16, "center", "11px");
        }
        write(label, box.x + box.width / 2, y + 31, "center", "12px");
    }

    // Of the many samples in a column of pixels only the lowest and the highest can be seen.
    function polyline(values, box, yOf) {
        const n = values.length;
        const stride = Math.max(1, Math.floor(n / box.width));
        const dx = box.width / (n - 1);
        ctx.beginPath();
        for (let i = 0; i < n; i += stride) {
            let [low, high] = [i, i];
            for (let j = i + 1; j < Math.min(i + stride, n); j++) {
                if (values[j] < values[low]) low = j;
                if (values[j] > values[high]) high = j;
            }
            const [one, two] = low < high ? [low, high] : [high, low];
            ctx.lineTo(box.x + one * dx, yOf(values[one]));
            if (two !== one) ctx.lineTo(box.x + two * dx, yOf(values[two]));
        }
        ctx.stroke();
    }

    function clipped(box, draw) {
        ctx.save();
        ctx.beginPath();
        ctx.rect(box.x, box.y - 1, box.width, box.height + 2);
        ctx.clip();
        draw();
        ctx.restore();
    }

    function overTime(box, shown, at) {
        const { panel } = box;
        const yOf = (value) => box.y + (box.height * (panel.high - value)) / (panel.high - panel.low);
        frame(box, panel.ticks, yOf);
        clipped(box, () => {
            if (panel.mark != null) thinLine(box.x, yOf(panel.mark), box.x + box.width, yOf(panel.mark), 0.55, [2, 3]);
            for (const line of panel.lines) {
                pen(line.look);
                polyline(line.values, box, yOf);
            }
            const x = box.x + (box.width * at) / shown.n;
            thinLine(x, box.y, x, box.y + box.height, 0.5);
            for (const line of panel.lines) {
                ctx.fillStyle = colourOf(line.look);
                disc(x, yOf(line.values[at]), 3);
            }
        });
        if (panel.note) write(panel.note, box.x + 8, box.y + 13, "left", "12px");
        header(box, at);
    }

    function disc(x, y, radius) {
        ctx.beginPath();
        ctx.arc(x, y, radius, 0, 2 * Math.PI);
        ctx.fill();
    }

    function inPlane(box, at) {
        const { panel } = box;
        const xOf = (value) => box.x + (box.width * (value - panel.left)) / (panel.right - panel.left);
        const yOf = (value) => box.y + (box.height * (panel.high - value)) / (panel.high - panel.low);
        frame(box, panel.ticks, yOf);
        bottomAxis(box, panel.xTicks, xOf, panel.xLabel);
        clipped(box, () => {
            for (const line of panel.lines) {
                pen(line.look);
                ctx.beginPath();
                let [x, y] = [Infinity, Infinity];
                for (let i = 0; i < line.values.length; i++) {
                    const [px, py] = [xOf(panel.x[i]), yOf(line.values[i])];
                    if (Math.abs(px - x) + Math.abs(py - y) < 0.7 && i < line.values.length - 1) continue;
                    [x, y] = [px, py];
                    ctx.lineTo(px, py);
                }
                ctx.stroke();
            }
            ctx.setLineDash([]);
            if (panel.rings) {
                for (const [i, value] of panel.rings.entries()) {
                    ctx.strokeStyle = colourOf(panel.lines[i].look);
                    ctx.lineWidth = 2;
                    ctx.beginPath();
                    ctx.arc(xOf(panel.ringed), yOf(value), 5, 0, 2 * Math.PI);
                    ctx.stroke();
                }
            } else {
                ctx.fillStyle = colourOf(panel.lines[0].look);
                disc(xOf(panel.x[at]), yOf(panel.lines[0].values[at]), 5);
            }
        });
        write(panel.label, box.x, box.y - HEADER + 14, "left", "600 12px");
    }

    function resize(width, height) {
        const ratio = globalThis.devicePixelRatio || 1;
        const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
        if (canvas.width !== w || canvas.height !== h) {
            [canvas.width, canvas.height] = [w, h];
            canvas.style.height = `${height}px`;
        }
        ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
        ctx.clearRect(0, 0, width, height);
    }

    // The panels over time, with the cursor at sample `at`; returns the height of the picture.
    function drawTraces(shown, panels, at, width) {
        const height = layout(panels, width, width < NARROW ? 68 : 132);
        resize(width, height);
        for (const box of boxes) overTime(box, shown, at);
        const last = boxes[boxes.length - 1];
        const ticks = padded(0, shown.T, width < NARROW ? 4 : 5)[2].filter((tick) => tick <= shown.T * (1 + 1e-9));
        bottomAxis(last, ticks, (t) => last.x + (last.width * t) / shown.T, shown.about.time_unit ? `time (${shown.about.time_unit})` : "time");
        return height;
    }

    function drawPlane(panel, at, available, height) {
        const width = Math.min(available, 480);
        const room = Math.max(60, Math.min(height - HEADER - AXIS, 1.25 * (width - LEFT - RIGHT)));
        boxes = [{ panel, x: LEFT, y: HEADER, width: width - LEFT - RIGHT, height: room }];
        canvas.style.width = `${width}px`;
        resize(width, HEADER + room + AXIS);
        inPlane(boxes[0], at);
    }

    // The sample under the pointer; null where there is none.
    function timeAt(x, n) {
        const { x: left, width } = boxes[0];
        return x < left - 8 || x > left + width + 8 ? null : Math.round(Math.min(1, Math.max(0, (x - left) / width)) * n);
    }

    function nearestInPlane(x, y) {
        const { panel, ...box } = boxes[0];
        if (panel.rings) return null;
        let [nearest, least] = [0, Infinity];
        for (let i = 0; i < panel.x.length; i++) {
            const dx = (box.width * (panel.x[i] - panel.left)) / (panel.right - panel.left) - (x - box.x);
            const dy = (box.height * (panel.high - panel.lines[0].values[i])) / (panel.high - panel.low) - (y - box.y);
            if (dx * dx + dy * dy < least) [nearest, least] = [i, dx * dx + dy * dy];
        }
        return nearest;
    }

    return { drawTraces, drawPlane, readTheme, timeAt, nearestInPlane };
}
