//! A small chart in the terminal.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::widgets::Widget;
use ratatui_widgets::barchart::{Bar, BarChart};

const HEIGHT: u16 = 8;
const WIDTH_OF_AN_HOUR: u16 = 3;

/// A bar for each hour, with its number below it.
pub fn by_the_hour(values: &[i64]) -> String {
    let bars: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(hour, value)| {
            let height = u64::try_from(*value).unwrap_or(0);
            Bar::with_label(format!("{hour:02}"), height).text_value(String::new())
        })
        .collect();
    let width = u16::try_from(values.len()).unwrap_or(0) * WIDTH_OF_AN_HOUR;
    let area = Rect::new(0, 0, width, HEIGHT);
    let mut drawn = Buffer::empty(area);
    BarChart::vertical(bars).bar_width(2).bar_gap(1).render(area, &mut drawn);
    lines(&drawn)
}

fn lines(drawn: &Buffer) -> String {
    let symbols: Vec<_> = drawn.content().iter().map(|cell| cell.symbol()).collect();
    let lines = symbols.chunks(usize::from(drawn.area.width).max(1));
    lines.map(|line| format!("  {}\n", line.concat().trim_end())).collect()
}
