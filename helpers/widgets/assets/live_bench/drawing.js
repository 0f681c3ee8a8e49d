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
    let boxes = []; // where the panels lie

    function readTheme() {
        const style = getComputedStyle(host);
        theme = { text: style.color, font: style.fontFamily, dark: host.style.colorScheme === "dark" };
    }

    // Where each panel is on a canvas of this width, from top to bottom; returns the height of all.
    function layout(panels, width, unit) {
        let y = 0;
        boxes = panels.map((panel) => {
            const rows = headerRows(panel, width - LEFT - RIGHT);
            const box = { panel, rows, x: LEFT, y: y + HEADER * rows, width: width - LEFT - RIGHT, height: Math.round(unit * panel.size) };
            y = box.y + box.height + GAP;
            return box;
        });
        return y - GAP + AXIS;
    }

    // How many lines the names and numbers above a panel take.
    function headerRows(panel, room) {
        ctx.font = `12px ${theme.font}`;
        let [x, rows] = [ctx.measureText(panel.label).width + 14, 1];
        for (const line of panel.lines) {
            const width = entryWidth(line);
            if (x + width > room && x > 0) [x, rows] = [0, rows + 1];
            x += width;
        }
        return rows;
    }

    const entryWidth = (line) => 26 + nameWidth(line.name) + 5 + ctx.measureText(line.isGate ? "0.000" : "−0000").width + 12;

    function nameWidth(name) {
        const [head, index] = split(name);
        ctx.font = `12px ${theme.font}`;
        let width = ctx.measureText(head).width;
        if (index) {
            ctx.font = `9px ${theme.font}`;
            width += ctx.measureText(index).width;
            ctx.font = `12px ${theme.font}`;
        }
        return width;
    }

    function drawName(name, x, y) {
        const [head, index] = split(name);
        ctx.font = `12px ${theme.font}`;
        ctx.fillText(head, x, y);
        if (!index) return x + ctx.measureText(head).width;
        x += ctx.measureText(head).width;
        ctx.font = `9px ${theme.font}`;
        ctx.fillText(index, x, y + 3);
        x += ctx.measureText(index).width;
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
        let x = box.x;
        let y = box.y - HEADER * box.rows + 14;
        ctx.fillStyle = theme.text;
        ctx.textAlign = "left";
        ctx.font = `600 12px ${theme.font}`;
        ctx.fillText(panel.label, x, y);
        ctx.font = `12px ${theme.font}`;
        x += ctx.measureText(panel.label).width + 20;
        for (const line of panel.lines) {
            if (x + entryWidth(line) > box.x + box.width + RIGHT && box.rows > 1 && x > box.x) {
                x = box.x;
                y += HEADER - 3;
            }
            const end = x + entryWidth(line);
            pen(line.look, 2);
            ctx.beginPath();
            ctx.moveTo(x, y - 4);
            ctx.lineTo(x + 21, y - 4);
            ctx.stroke();
            const after = drawName(line.name, x + 26, y);
            if (at !== null) ctx.fillText(reading(line.values[at], line.isGate), after + 5, y);
            x = end;
        }
    }

    function frame(box, ticks, yOf, grid = true) {
        ctx.setLineDash([]);
        ctx.lineWidth = 1;
        ctx.font = `11px ${theme.font}`;
        ctx.fillStyle = theme.text;
        ctx.textAlign = "right";
        for (const tick of ticks) {
            const y = Math.round(yOf(tick)) + 0.5;
            ctx.strokeStyle = theme.text;
            ctx.globalAlpha = 0.14;
            if (grid) strokeLine(box.x, y, box.x + box.width, y);
            ctx.globalAlpha = 1;
            ctx.fillText(tickText(tick), box.x - 6, y + 3.5);
        }
        ctx.globalAlpha = 0.6;
        ctx.strokeStyle = theme.text;
        strokeLine(box.x - 0.5, box.y, box.x - 0.5, box.y + box.height);
        ctx.globalAlpha = 1;
    }

    function strokeLine(x0, y0, x1, y1) {
        ctx.beginPath();
        ctx.moveTo(x0, y0);
        ctx.lineTo(x1, y1);
        ctx.stroke();
    }

    function bottomAxis(box, ticks, xOf, label) {
        const y = box.y + box.height + 1.5;
        ctx.setLineDash([]);
        ctx.lineWidth = 1;
        ctx.strokeStyle = theme.text;
        ctx.globalAlpha = 0.6;
        strokeLine(box.x - 0.5, y, box.x + box.width, y);
        for (const tick of ticks) strokeLine(Math.round(xOf(tick)) + 0.5, y, Math.round(xOf(tick)) + 0.5, y + 4);
        ctx.globalAlpha = 1;
        ctx.font = `11px ${theme.font}`;
        ctx.fillStyle = theme.text;
        ctx.textAlign = "center";
        for (const tick of ticks) ctx.fillText(tickText(tick), xOf(tick), y + 16);
        ctx.font = `12px ${theme.font}`;
        ctx.fillText(label, box.x + box.width / 2, y + 31);
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
            if (panel.mark !== null && panel.mark !== undefined) {
                ctx.strokeStyle = theme.text;
                ctx.lineWidth = 1;
                ctx.globalAlpha = 0.55;
                ctx.setLineDash([2, 3]);
                strokeLine(box.x, yOf(panel.mark), box.x + box.width, yOf(panel.mark));
                ctx.globalAlpha = 1;
            }
            for (const line of panel.lines) {
                pen(line.look);
                polyline(line.values, box, yOf);
            }
            const x = box.x + (box.width * at) / shown.n;
            ctx.setLineDash([]);
            ctx.strokeStyle = theme.text;
            ctx.lineWidth = 1;
            ctx.globalAlpha = 0.5;
            strokeLine(x, box.y, x, box.y + box.height);
            ctx.globalAlpha = 1;
            for (const line of panel.lines) {
                ctx.fillStyle = colourOf(line.look);
                disc(x, yOf(line.values[at]), 3);
            }
        });
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
        ctx.fillStyle = theme.text;
        ctx.textAlign = "left";
        ctx.font = `600 12px ${theme.font}`;
        ctx.fillText(panel.label, box.x, box.y - HEADER + 14);
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
        bottomAxis(last, ticks, (t) => last.x + (last.width * t) / shown.T, "time (ms)");
        return height;
    }

    function drawPlane(panel, at, available, height) {
        const width = Math.min(available, 480);
        const room = Math.max(60, Math.min(height - HEADER - AXIS, 1.25 * (width - LEFT - RIGHT)));
        boxes = [{ panel, rows: 1, x: LEFT, y: HEADER, width: width - LEFT - RIGHT, height: room }];
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
