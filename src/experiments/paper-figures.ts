import type { PaperFigure } from './experiment.js'

/** ViT-B on ImageNet-1k, as the bLViT paper trained it: top-1 in percent, and 10⁹ multiply-adds. */
const whole = { top1: 81.8, multiplyAdds: 16.86 } as const

/** A row of the bLViT paper's Tables 3 to 5, beside its first. @param top1 percent @param multiplyAdds in 10⁹ */
export function ofPaper(top1: number, multiplyAdds: number): PaperFigure {
  return {
    points: top1 - whole.top1,
    share: multiplyAdds / whole.multiplyAdds,
    of: `${top1.toFixed(1)}, ViT-B`,
  }
}
