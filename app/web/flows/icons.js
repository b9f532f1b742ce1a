// Small drawings for the kinds of steps, on a field of 24 by 24.
const PATHS = {
  trigger: ["M13 3 5 13.5h6L10 21l8-10.5h-6z"],
  delay: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18", "M12 7.5V12l3 2"],
  wait_for: ["M7 3h10M7 21h10M8 3c0 5 8 5 8 9s-8 4-8 9M16 3c0 5-8 5-8 9s8 4 8 9"],
  condition: ["M12 3v5M12 8c0 4-6 3-6 8v5M12 8c0 4 6 3 6 8v5"],
  holdout: ["M9 3h6M10 3v6l-5 9a2 2 0 0 0 1.800 3h10.400A2 2 0 0 0 19 18l-5-9V3", "M7.500 15h9"],
  send_email: ["M4 6h16v12H4z", "m4 7 8 6 8-6"],
  send_sms: ["M4 5h16v11H11l-4 4v-4H4z"],
  send_voice: ["M6 3h4l1.500 5-2.500 1.500a11 11 0 0 0 5.500 5.500L16 12.500 21 14v4c0 2-1 3-3 3C10 21 3 14 3 6c0-2 1-3 3-3z"],
  issue_coupon: ["M3 8V6h18v2a4 4 0 0 0 0 8v2H3v-2a4 4 0 0 0 0-8z", "M14 6v12"],
  update_profile: ["M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8", "M4 20c0-4 4-6 8-6s8 2 8 6"],
  webhook: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18", "M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18"],
  notify_staff: ["M6 17V10a6 6 0 0 1 12 0v7l2 1H4z", "M10 21h4"],
  end: ["M6 21V4h12l-3 4 3 4H6"],
  other: ["M12 8v8M8 12h8"],
};
PATHS.delay_until = PATHS.delay;
PATHS.split = PATHS.condition;

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export const icon = (kind) =>
  svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, ...(PATHS[kind] ?? PATHS.other).map((d) => svg("path", { d })));
