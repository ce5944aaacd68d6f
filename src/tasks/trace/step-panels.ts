import type { Pixels } from '../../image/pixels.js'
import { drawPanel } from './draw-panel.js'
import { tokenGroups } from './token-groups.js'
import { explanation, fullLayersLine, legend, stepCount, stepTitle } from './trace-words.js'
import type { Trace } from './traced-steps.js'

/** How things stand after a step, as a picture and in words. */
export interface StepPanel {
  /** `after layer 1 → layers 2–4` */
  readonly title: string
  /** `98 of 196 patches (50 %) take the big path` */
  readonly count: string
  readonly pixels: Pixels
}

/** A trace as pictures and words for people, whatever the model and the method. */
export interface TracePanels {
  /** What holds before the first step: `layer 1: all 196 patches take the big path`. */
  readonly before: string
  /** How to read the pictures, in one sentence. */
  readonly explanation: string
  /** What each look means, for those that occur. */
  readonly legend: readonly string[]
  readonly steps: readonly StepPanel[]
}

/**
 * Draws every step of a trace over its picture, as `blvit trace` does.
 * @param options `scale`: drawn pixels per pixel of the picture, a whole number. Default 2
 */
export function tracePanels(trace: Trace, { scale = 2 }: { readonly scale?: number } = {}): TracePanels {
  const groups = tokenGroups(trace)
  return {
    before: fullLayersLine(trace),
    explanation: explanation(trace),
    legend: legend(trace, { numbered: false }).map(({ text }) => text),
    steps: trace.steps.map((step, index) => ({
      title: stepTitle(trace, index),
      count: stepCount(trace, step),
      pixels: drawPanel(trace, step, { scale, groups: groups[index] ?? [] }),
    })),
  }
}
