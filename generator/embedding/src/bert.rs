//! The forward pass of a BERT encoder with mean pooling. Accepts only weights with the dimensions of all-MiniLM-L6-v2.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use safetensors::{Dtype, SafeTensors};

use super::{DIMENSIONS, Vector};

const LAYERS: usize = 6;
const HEADS: usize = 12;
const HEAD_DIMENSIONS: usize = DIMENSIONS / HEADS;
const INNER_DIMENSIONS: usize = 4 * DIMENSIONS;
const POSITIONS: usize = 512;
/// Added to a variance before its square root.
const NORM_EPSILON: f32 = 1e-12;

/// The weights of the model.
pub(super) struct Bert {
    words: Array2<f32>,
    positions: Array2<f32>,
    /// The embedding of the only segment, added to each position.
    segment: Array1<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attention_norm: Norm,
    inner: Linear,
    outer: Linear,
    norm: Norm,
}

/// An affine map. The weights have one row per input: as published, with one row per output, a product of few tokens
/// takes 5 ms longer in each pass, because the columns are gathered anew.
struct Linear {
    weights: Array2<f32>,
    bias: Array1<f32>,
}

struct Norm {
    scale: Array1<f32>,
    shift: Array1<f32>,
}

impl Bert {
    /// Reads the weights from the bytes of a safetensors file.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let tensors = Tensors(SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?);
        let segments = tensors.matrix("embeddings.token_type_embeddings.weight", DIMENSIONS)?;
        let bert = Self {
            words: tensors.matrix("embeddings.word_embeddings.weight", DIMENSIONS)?,
            positions: tensors.matrix("embeddings.position_embeddings.weight", DIMENSIONS)?,
            segment: segments.row(0).to_owned(),
            norm: tensors.norm("embeddings.LayerNorm")?,
            layers: (0..LAYERS).map(|number| tensors.layer(number)).collect::<Result<_, _>>()?,
        };
        if bert.positions.nrows() != POSITIONS {
            return Err(format!("it has {} positions instead of {POSITIONS}", bert.positions.nrows()));
        }
        Ok(bert)
    }

    pub(super) fn vocabulary_size(&self) -> usize {
        self.words.nrows()
    }

    /// Returns the vectors of texts, each given as 1 to 512 token ids of the vocabulary.
    ///
    /// Multiplies the rows of all texts as one matrix, so that the weights are read once.
    pub(super) fn embed(&self, texts: &[Vec<usize>]) -> Vec<Vector> {
        let spans = spans(texts);
        let ids: Vec<usize> = texts.iter().flatten().copied().collect();
        let mut hidden = self.words.select(Axis(0), &ids);
        for span in &spans {
            let mut rows = hidden.slice_mut(s![span.clone(), ..]);
            rows += &self.positions.slice(s![..span.len(), ..]);
            rows += &self.segment;
        }
        self.norm.apply(&mut hidden);
        for layer in &self.layers {
            hidden = layer.apply(&hidden, &spans);
        }
        let pooled = |span: &Range<usize>| {
            let sum = hidden.slice(s![span.clone(), ..]).sum_axis(Axis(0));
            let length = sum.dot(&sum).sqrt();
            (sum / length).to_vec()
        };
        spans.iter().map(pooled).collect()
    }
}

/// Returns the rows of each text in the combined matrix.
fn spans(texts: &[Vec<usize>]) -> Vec<Range<usize>> {
    let mut end = 0;
    let span = |text: &Vec<usize>| {
        let start = end;
        end += text.len();
        start..end
    };
    texts.iter().map(span).collect()
}

impl Layer {
    fn apply(&self, input: &Array2<f32>, spans: &[Range<usize>]) -> Array2<f32> {
        let mut middle = self.attended.apply(&self.attend(input, spans)) + input;
        self.attention_norm.apply(&mut middle);
        let mut inner = self.inner.apply(&middle);
        inner.mapv_inplace(gelu);
        let mut output = self.outer.apply(&inner) + &middle;
        self.norm.apply(&mut output);
        output
    }

    /// Computes attention among the tokens of each text.
    fn attend(&self, input: &Array2<f32>, spans: &[Range<usize>]) -> Array2<f32> {
        let (query, key, value) = (self.query.apply(input), self.key.apply(input), self.value.apply(input));
        let mut output = Array2::zeros(input.raw_dim());
        for span in spans {
            for head in 0..HEADS {
                let part = s![span.clone(), head * HEAD_DIMENSIONS..(head + 1) * HEAD_DIMENSIONS];
                let weights = attention(query.slice(part), key.slice(part));
                output.slice_mut(part).assign(&weights.dot(&value.slice(part)));
            }
        }
        output
    }
}

#[expect(clippy::cast_precision_loss, reason = "32 is exact")]
fn attention(query: ArrayView2<f32>, key: ArrayView2<f32>) -> Array2<f32> {
    let mut weights = query.dot(&key.t());
    weights /= (HEAD_DIMENSIONS as f32).sqrt();
    for mut row in weights.rows_mut() {
        // Softmax, shifted by the maximum against overflow.
        let largest = row.fold(f32::NEG_INFINITY, |largest, value| largest.max(*value));
        row.mapv_inplace(|value| (value - largest).exp());
        let sum = row.sum();
        row /= sum;
    }
    weights
}

impl Linear {
    fn apply(&self, input: &Array2<f32>) -> Array2<f32> {
        input.dot(&self.weights) + &self.bias
    }
}

impl Norm {
    #[expect(clippy::cast_precision_loss, reason = "384 is exact")]
    fn apply(&self, rows: &mut Array2<f32>) {
        for mut row in rows.rows_mut() {
            let mean = row.sum() / DIMENSIONS as f32;
            row -= mean;
            let variance = row.dot(&row) / DIMENSIONS as f32;
            row /= (variance + NORM_EPSILON).sqrt();
            row *= &self.scale;
            row += &self.shift;
        }
    }
}

/// The Gaussian error linear unit, by the error function (Abramowitz and Stegun 7.1.26, off by at most 1.5e-7).
fn gelu(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / 0.327_591_1_f32.mul_add(z, 1.0);
    let polynomial = [-1.453_152, 1.421_413_8, -0.284_496_74, 0.254_829_6]
        .into_iter()
        .fold(1.061_405_4_f32, |sum, coefficient| sum * t + coefficient);
    let erf = (1.0 - polynomial * t * (-z * z).exp()).copysign(x);
    0.5 * x * (1.0 + erf)
}

/// The tensors of a file by name.
struct Tensors<'a>(SafeTensors<'a>);

impl Tensors<'_> {
    fn values(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), String> {
        let tensor = self.0.tensor(name).map_err(|error| format!("{name}: {error}"))?;
        if tensor.dtype() != Dtype::F32 {
            return Err(format!("{name} does not hold 32-bit floats"));
        }
        let (numbers, _) = tensor.data().as_chunks::<4>();
        Ok((tensor.shape().to_vec(), numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()))
    }

    fn matrix(&self, name: &str, columns: usize) -> Result<Array2<f32>, String> {
        let (shape, values) = self.values(name)?;
        match shape.as_slice() {
            [rows, found] if *found == columns && *rows > 0 => {
                Array2::from_shape_vec((*rows, columns), values).map_err(|error| format!("{name}: {error}"))
            }
            _ => Err(format!("{name} has the shape {shape:?}")),
        }
    }

    fn vector(&self, name: &str, length: usize) -> Result<Array1<f32>, String> {
        let (shape, values) = self.values(name)?;
        if shape == [length] { Ok(Array1::from_vec(values)) } else { Err(format!("{name} has the shape {shape:?}")) }
    }

    fn linear(&self, name: &str, from: usize, to: usize) -> Result<Linear, String> {
        let published = self.matrix(&format!("{name}.weight"), from)?;
        let weights = published.t().as_standard_layout().into_owned();
        Ok(Linear { weights, bias: self.vector(&format!("{name}.bias"), to)? })
    }

    fn norm(&self, name: &str) -> Result<Norm, String> {
        let vector = |part| self.vector(&format!("{name}.{part}"), DIMENSIONS);
        Ok(Norm { scale: vector("weight")?, shift: vector("bias")? })
    }

    fn layer(&self, number: usize) -> Result<Layer, String> {
        let name = |part: &str| format!("encoder.layer.{number}.{part}");
        let square = |part: &str| self.linear(&name(part), DIMENSIONS, DIMENSIONS);
        Ok(Layer {
            query: square("attention.self.query")?,
            key: square("attention.self.key")?,
            value: square("attention.self.value")?,
            attended: square("attention.output.dense")?,
            attention_norm: self.norm(&name("attention.output.LayerNorm"))?,
            inner: self.linear(&name("intermediate.dense"), DIMENSIONS, INNER_DIMENSIONS)?,
            outer: self.linear(&name("output.dense"), INNER_DIMENSIONS, DIMENSIONS)?,
            norm: self.norm(&name("output.LayerNorm"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gelu_is_the_reference_to_six_digits() {
        for (x, expected) in
            [(0.0, 0.0), (1.0, 0.841_344_8), (-1.0, -0.158_655_25), (3.0, 2.995_950_3), (-0.5, -0.154_268_77)]
        {
            assert!((gelu(x) - expected).abs() < 1e-6, "{x}: {}", gelu(x));
        }
    }

    #[test]
    fn files_other_than_weights_of_the_model_are_refused() {
        assert!(Bert::read(b"").is_err());
        assert!(Bert::read(b"\x02\0\0\0\0\0\0\0{}").is_err_and(|reason| reason.contains("embeddings")));
    }
}
