//! Bar charts as SVG, drawn by plotters. Colours are the three of [`Ink`]: the page's style sheet gives each its shade in the light and
//! in the dark.

use std::ops::Range;

use anyhow::anyhow;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::table::grouped_digits;

const WIDTH: u32 = 860;
const LABELS_WIDTH: u32 = 330;
const VALUES_WIDTH: u32 = 110;
const BAR_HEIGHT: u32 = 26;
const AXIS_HEIGHT: u32 = 46;
const FONT: (&str, i32) = ("sans-serif", 14);

/// The colours of a chart, by what they are for. The style sheet of the page selects by these values.
pub(crate) struct Ink;

impl Ink {
    /// Text.
    pub(crate) const TEXT: RGBColor = RGBColor(0x01, 0x01, 0x01);
    /// The grid.
    pub(crate) const GRID: RGBColor = RGBColor(0x02, 0x02, 0x02);
    /// Bars of code mode.
    pub(crate) const CODE: RGBColor = RGBColor(0x03, 0x03, 0x03);
    /// Bars of classic MCP.
    pub(crate) const CLASSIC: RGBColor = RGBColor(0x04, 0x04, 0x04);
}

/// One bar.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: f64,
    /// The value as people read it.
    pub(crate) text: String,
    pub(crate) is_code_mode: bool,
}

/// Horizontal bars from top to bottom, on a logarithmic scale: what is compared differs by factors of up to a thousand.
pub(crate) fn bars(bars: &[Bar], unit: &str) -> anyhow::Result<String> {
    let height = AXIS_HEIGHT + BAR_HEIGHT * u32::try_from(bars.len())?;
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
    // Its errors borrow the text that is drawn into.
    draw(&area, bars, unit).map_err(|error| anyhow!("a chart cannot be drawn: {error}"))?;
    drop(area);
    Ok(svg)
}

type Area<'svg> = DrawingArea<SVGBackend<'svg>, Shift>;

fn draw<'svg>(
    area: &Area<'svg>,
    bars: &[Bar],
    unit: &str,
) -> Result<(), DrawingAreaErrorKind<<SVGBackend<'svg> as DrawingBackend>::ErrorType>> {
    let scale = scale(bars);
    let count = bars.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .margin_right(VALUES_WIDTH)
        .set_label_area_size(LabelAreaPosition::Left, LABELS_WIDTH)
        .set_label_area_size(LabelAreaPosition::Bottom, AXIS_HEIGHT)
        .build_cartesian_2d(scale.clone().log_scale(), count..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .light_line_style(TRANSPARENT)
        .bold_line_style(Ink::GRID)
        .axis_style(Ink::GRID)
        .label_style(FONT.into_font().color(&Ink::TEXT))
        .x_desc(unit)
        .x_label_formatter(&|value| if *value < 1.0 { value.to_string() } else { grouped_digits(&format!("{value:.0}")) })
        .draw()?;
    let label = TextStyle::from(FONT.into_font()).color(&Ink::TEXT);
    let before = label.clone().pos(Pos::new(HPos::Right, VPos::Center));
    let after = label.pos(Pos::new(HPos::Left, VPos::Center));
    for (place, bar) in bars.iter().enumerate() {
        let top = place as f64;
        let colour = if bar.is_code_mode { Ink::CODE } else { Ink::CLASSIC };
        let end = bar.value.max(scale.start);
        let corners = [(scale.start, top + 0.15), (end, top + 0.85)];
        chart.draw_series(std::iter::once(Rectangle::new(corners, colour.filled())))?;
        let (left, middle) = chart.backend_coord(&(scale.start, top + 0.5));
        let (right, _) = chart.backend_coord(&(end, top + 0.5));
        area.draw_text(&bar.label, &before, (left - 8, middle))?;
        area.draw_text(&bar.text, &after, (right + 6, middle))?;
    }
    area.present()
}

/// Whole powers of ten around all values.
fn scale(bars: &[Bar]) -> Range<f64> {
    let values = || bars.iter().map(|bar| bar.value).filter(|value| *value > 0.0);
    let least = values().fold(f64::INFINITY, f64::min);
    let most = values().fold(0.0, f64::max);
    if most == 0.0 {
        return 1.0..10.0;
    }
    let below = 10_f64.powf(least.log10().floor());
    below..10_f64.powf(most.log10().ceil()).max(below * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(label: &str, value: f64) -> Bar {
        Bar { label: label.to_owned(), value, text: value.to_string(), is_code_mode: true }
    }

    #[test]
    fn the_scale_has_whole_powers_of_ten_around_all_values() {
        assert_eq!(scale(&[bar("a", 0.4), bar("b", 412.0)]), 0.1..1000.0);
        assert_eq!(scale(&[bar("a", 10.0)]), 10.0..100.0);
        assert_eq!(scale(&[bar("a", 0.0)]), 1.0..10.0);
        assert_eq!(scale(&[]), 1.0..10.0);
    }

    #[test]
    fn a_label_cannot_become_markup() -> anyhow::Result<()> {
        let svg = bars(&[bar("</text><script>alert(1)</script>", 3.0)], "ms")?;
        assert!(!svg.contains("<script"), "{svg}");
        assert!(svg.contains("&lt;script&gt;"), "{svg}");
        Ok(())
    }
}
