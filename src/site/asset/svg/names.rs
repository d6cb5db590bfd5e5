//! Names of SVG that only draw, shape or group, separated by spaces.

/// Elements that draw, name or group.
pub(super) const ELEMENTS: &str = "\
    svg g defs symbol use title desc path rect circle ellipse line polyline polygon text tspan textPath image \
    switch view marker pattern mask clipPath linearGradient radialGradient stop style filter feBlend feColorMatrix \
    feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting feDisplacementMap feDistantLight \
    feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feMerge feMergeNode feMorphology feOffset \
    fePointLight feSpecularLighting feSpotLight feTile feTurbulence animate animateTransform animateMotion mpath \
    hatch hatchpath solidcolor mesh meshgradient";

/// Attributes that only shape, besides those that begin with `aria-`.
pub(super) const ATTRIBUTES: &str = "\
    accent-height accumulate additive alignment-baseline alphabetic amplitude ascent attributeName attributeType \
    azimuth baseFrequency baseline-shift baseProfile begin bias by calcMode class clip clip-path clip-rule \
    clipPathUnits color color-interpolation color-interpolation-filters color-rendering cx cy d descent \
    diffuseConstant direction display divisor dominant-baseline dur dx dy edgeMode elevation enable-background end \
    exponent fill fill-opacity fill-rule filter filterUnits flood-color flood-opacity focusable font-family \
    font-size font-size-adjust font-stretch font-style font-variant font-weight fr from fx fy \
    glyph-orientation-horizontal glyph-orientation-vertical gradientTransform gradientUnits hanging height href id \
    image-rendering in in2 intercept isolation k1 k2 k3 k4 kernelMatrix kernelUnitLength kerning keyPoints \
    keySplines keyTimes lang lengthAdjust letter-spacing lighting-color limitingConeAngle marker-end marker-mid \
    marker-start markerHeight markerUnits markerWidth mask mask-type maskContentUnits maskUnits max media method \
    min mix-blend-mode mode name numOctaves offset opacity operator order orient orientation origin overflow \
    overline-position overline-thickness paint-order path pathLength patternContentUnits patternTransform \
    patternUnits pointer-events points pointsAtX pointsAtY pointsAtZ preserveAlpha preserveAspectRatio \
    primitiveUnits r radius refX refY repeatCount repeatDur requiredExtensions requiredFeatures restart result role \
    rotate rx ry scale seed shape-rendering side slope spacing specularConstant specularExponent spreadMethod \
    startOffset stdDeviation stitchTiles stop-color stop-opacity strikethrough-position strikethrough-thickness \
    stroke stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin stroke-miterlimit stroke-opacity \
    stroke-width style surfaceScale systemLanguage tabindex tableValues targetX targetY text-anchor text-decoration \
    text-rendering textLength transform transform-box transform-origin type underline-position underline-thickness \
    unicode-bidi values vector-effect version viewBox viewTarget visibility width word-spacing writing-mode x x1 x2 \
    xChannelSelector xlink:href xml:lang xml:space y y1 y2 yChannelSelector z zoomAndPan to";
