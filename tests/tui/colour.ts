/** Colours of the 256 as people see them: contrast as WCAG 2 counts it, differences in CIE 1976 L*a*b*. */

type Triple = readonly [number, number, number];
type Matrix = readonly [Triple, Triple, Triple];

/** Linear RGB as it is seen: Machado, Oliveira, Fernandes 2009, severity 1. */
export const SIGHT = {
  common: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
} as const satisfies Record<string, Matrix>;

const LEVELS = [0, 95, 135, 175, 215, 255];
/** sRGB to XYZ, white point D65. */
const TO_XYZ: Matrix = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];
const WHITE: Triple = [0.95047, 1, 1.08883];

/** Linear RGB of a colour of xterm's cube (16 to 231) or grey ramp (232 to 255). */
function linear(index: number): Triple {
  const cube = index - 16;
  const values = index >= 232
    ? [8, 8, 8].map((base) => base + 10 * (index - 232))
    : [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((level) => LEVELS[level]);
  return values.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as unknown as Triple;
}

function times(matrix: Matrix, [x, y, z]: Triple): Triple {
  return matrix.map((row) => row[0] * x + row[1] * y + row[2] * z) as unknown as Triple;
}

function lab(colour: Triple): Triple {
  const [x, y, z] = times(TO_XYZ, colour).map((value, i) => {
    const part = value / WHITE[i];
    return part > 216 / 24389 ? Math.cbrt(part) : ((24389 / 27) * part + 16) / 116;
  });
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** How different two colours look; 2.3 is a just noticeable difference. */
export function difference(a: number, b: number, sight: keyof typeof SIGHT): number {
  const seen = (index: number) => {
    const [red, green, blue] = times(SIGHT[sight], linear(index)).map((part) => Math.min(1, Math.max(0, part)));
    return lab([red, green, blue]);
  };
  const [one, other] = [seen(a), seen(b)];
  return Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2]);
}

/** 1 (the same) to 21 (black on white). */
export function contrast(a: number, b: number | "black" | "white"): number {
  const luminance = (of: number | "black" | "white") =>
    of === "black" ? 0 : of === "white" ? 1 : times(TO_XYZ, linear(of))[1];
  const [one, other] = [luminance(a), luminance(b)];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}
