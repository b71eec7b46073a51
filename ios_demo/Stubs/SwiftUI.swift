@_exported import Combine
@_exported import CoreGraphics
@_exported import Observation
@_exported import UniformTypeIdentifiers

// Views and their builder

@MainActor public protocol View {
  associatedtype Body: View
  @ViewBuilder var body: Body { get }
}
/// A view that the framework draws itself.
@MainActor public protocol Leaf: View where Body == Never {}
extension Leaf {
  public var body: Never { return fatalError() }
}
extension Never: View {
  public var body: Never { return fatalError() }
}

@resultBuilder public enum ViewBuilder {
  public static func buildExpression<V: View>(_ view: V) -> V { view }
  public static func buildBlock<each V: View>(_ views: repeat each V) -> Views { Views() }
  public static func buildIf<V: View>(_ view: V?) -> V? { view }
  public static func buildEither<V: View, W: View>(first: V) -> Either<V, W> { Either() }
  public static func buildEither<V: View, W: View>(second: W) -> Either<V, W> { Either() }
}
/// Whatever a builder or a modifier gives.
public struct Views: Leaf {
  public nonisolated init() {}
}
public struct Either<V: View, W: View>: Leaf {
  public nonisolated init() {}
}
extension Optional: View, Leaf where Wrapped: View {}

// App and scenes

@MainActor public protocol App {
  associatedtype Body: Scene
  @SceneBuilder var body: Body { get }
  init()
}
extension App {
  public static func main() { fatalError() }
}
@MainActor public protocol Scene {}
@resultBuilder public enum SceneBuilder {
  public static func buildBlock<S: Scene>(_ scene: S) -> S { scene }
}
public struct WindowGroup<Content: View>: Scene {
  public nonisolated init(@ViewBuilder content: () -> Content) {}
}
public enum ScenePhase: Comparable, Sendable {
  case background, inactive, active
}

// State

@propertyWrapper public struct State<Value> {
  public init(wrappedValue: Value) { fatalError() }
  public var wrappedValue: Value {
    get { fatalError() }
    nonmutating set { fatalError() }
  }
  public var projectedValue: Binding<Value> { fatalError() }
}
@propertyWrapper @dynamicMemberLookup public struct Binding<Value> {
  public init(get: @escaping () -> Value, set: @escaping (Value) -> Void) { fatalError() }
  public var wrappedValue: Value {
    get { fatalError() }
    nonmutating set { fatalError() }
  }
  public subscript<T>(dynamicMember path: WritableKeyPath<Value, T>) -> Binding<T> { fatalError() }
}
@propertyWrapper @dynamicMemberLookup public struct Bindable<Value: AnyObject & Observable> {
  public init(wrappedValue: Value) { fatalError() }
  public var wrappedValue: Value {
    get { fatalError() }
    set { fatalError() }
  }
  public var projectedValue: Bindable<Value> { fatalError() }
  public subscript<T>(dynamicMember path: ReferenceWritableKeyPath<Value, T>) -> Binding<T> {
    fatalError()
  }
}
@propertyWrapper public struct Environment<Value> {
  public init(_ path: KeyPath<EnvironmentValues, Value>) { fatalError() }
  public var wrappedValue: Value { fatalError() }
}
public struct EnvironmentValues {
  public var scenePhase: ScenePhase { fatalError() }
}

// Text

public struct LocalizedStringKey: ExpressibleByStringInterpolation, Sendable {
  public init(stringLiteral value: String) { fatalError() }
}
public struct Text: Leaf {
  public init(_ key: LocalizedStringKey) { fatalError() }
  public init(verbatim text: String) { fatalError() }
}
public struct Font: Sendable {
  public static var footnote: Font { fatalError() }
  public static var callout: Font { fatalError() }
  public static var caption: Font { fatalError() }
  public func monospacedDigit() -> Font { fatalError() }
}

// Controls. A title is a key into the String Catalog, or text that is shown as it is.

public struct Label: Leaf {
  public init(_ key: LocalizedStringKey, systemImage: String) { fatalError() }
  @_disfavoredOverload public init(_ title: some StringProtocol, systemImage: String) {
    fatalError()
  }
}
public struct Button: Leaf {
  public init(_ key: LocalizedStringKey, action: @escaping @MainActor () -> Void) { fatalError() }
  public init(
    _ key: LocalizedStringKey, systemImage: String, action: @escaping @MainActor () -> Void
  ) { fatalError() }
}
public struct Toggle: Leaf {
  public init(_ key: LocalizedStringKey, isOn: Binding<Bool>) { fatalError() }
}
public struct Picker: Leaf {
  public init<Value: Hashable>(
    _ key: LocalizedStringKey, selection: Binding<Value>, @ViewBuilder content: () -> some View
  ) { fatalError() }
}
public struct ProgressView: Leaf {
  public init(_ key: LocalizedStringKey) { fatalError() }
}
public struct LabeledContent: Leaf {
  public init(_ key: LocalizedStringKey, value: some StringProtocol) { fatalError() }
}
public struct ContentUnavailableView: Leaf {
  public init(_ key: LocalizedStringKey, systemImage: String, description: Text?) { fatalError() }
}
public protocol Transferable {}
extension Data: Transferable {}
extension URL: Transferable {}
public struct ShareLink: Leaf {
  public init(item: some Transferable) { fatalError() }
}

// Layout

public struct Alignment: Sendable {
  public static var topLeading: Alignment { fatalError() }
  public static var center: Alignment { fatalError() }
}
public struct HorizontalAlignment: Sendable {
  public static var leading: HorizontalAlignment { fatalError() }
  public static var center: HorizontalAlignment { fatalError() }
}
public struct VStack: Leaf {
  public init(
    alignment: HorizontalAlignment = .center, spacing: CGFloat? = nil,
    @ViewBuilder content: () -> some View
  ) { fatalError() }
}
public struct HStack: Leaf {
  public init(spacing: CGFloat? = nil, @ViewBuilder content: () -> some View) { fatalError() }
}
public struct ZStack: Leaf {
  public init(alignment: Alignment = .center, @ViewBuilder content: () -> some View) {
    fatalError()
  }
}
public struct Spacer: Leaf {
  public init() {}
}
public struct EmptyView: Leaf {
  public init() {}
}
public struct Color: Leaf {
  public static var black: Color { fatalError() }
}
public struct Form: Leaf {
  public init(@ViewBuilder content: () -> some View) { fatalError() }
}
public struct Section: Leaf {
  public init(@ViewBuilder content: () -> some View) { fatalError() }
  public init(_ key: LocalizedStringKey, @ViewBuilder content: () -> some View) { fatalError() }
}
public struct NavigationStack: Leaf {
  public init(@ViewBuilder root: () -> some View) { fatalError() }
}
public struct TabView: Leaf {
  public init<Value: Hashable>(
    selection: Binding<Value>, @ViewBuilder content: () -> some View
  ) { fatalError() }
}
public struct ForEach: Leaf {
  public init<Elements: RandomAccessCollection, ID: Hashable>(
    _ elements: Elements, id: KeyPath<Elements.Element, ID>,
    @ViewBuilder content: @escaping (Elements.Element) -> some View
  ) { fatalError() }
}
public struct Image: Leaf {
  public init(decorative image: CGImage, scale: CGFloat) { fatalError() }
  public func resizable() -> Image { fatalError() }
}
public struct RoundedRectangle: Shape {
  public init(cornerRadius: CGFloat) { fatalError() }
}
public protocol Shape: Sendable {}
public struct Material: Sendable {
  public static var ultraThinMaterial: Material { fatalError() }
}
public struct LabelStyleKind: Sendable {
  public static var iconOnly: LabelStyleKind { fatalError() }
}
public enum AccessibilityChildBehavior: Sendable {
  case ignore, contain, combine
}

// Modifiers

extension View {
  public func padding() -> Views { fatalError() }
  public func padding(_ length: CGFloat) -> Views { fatalError() }
  public func frame(width: CGFloat? = nil, height: CGFloat? = nil) -> Views { fatalError() }
  public func frame(maxWidth: CGFloat? = nil, maxHeight: CGFloat? = nil) -> Views { fatalError() }
  public func scaledToFit() -> Views { fatalError() }
  public func scaledToFill() -> Views { fatalError() }
  public func clipShape(_ shape: some Shape) -> Views { fatalError() }
  public func background(_ style: Material, in shape: some Shape) -> Views { fatalError() }
  public func font(_ font: Font?) -> Views { fatalError() }
  public func labelStyle(_ style: LabelStyleKind) -> Views { fatalError() }
  public func disabled(_ isDisabled: Bool) -> Views { fatalError() }
  public func tag(_ tag: some Hashable) -> Views { fatalError() }
  public func tabItem(@ViewBuilder _ label: () -> some View) -> Views { fatalError() }
  public func navigationTitle(_ key: LocalizedStringKey) -> Views { fatalError() }
  public func accessibilityLabel(_ key: LocalizedStringKey) -> Views { fatalError() }
  public func accessibilityLabel(_ text: Text) -> Views { fatalError() }
  public func accessibilityElement(children: AccessibilityChildBehavior = .ignore) -> Views {
    fatalError()
  }
  public func task(_ work: @escaping @MainActor @Sendable () async -> Void) -> Views {
    fatalError()
  }
  public func onChange<Value: Equatable>(
    of value: Value, _ work: @escaping (_ old: Value, _ new: Value) -> Void
  ) -> Views { fatalError() }
  public func onReceive(
    _ publisher: NotificationCenter.Publisher, perform work: @escaping (Notification) -> Void
  ) -> Views { fatalError() }
  public func fileImporter(
    isPresented: Binding<Bool>, allowedContentTypes: [UTType],
    onCompletion: @escaping (Result<URL, any Error>) -> Void
  ) -> Views { fatalError() }
  public func alert(
    _ title: some StringProtocol, isPresented: Binding<Bool>, @ViewBuilder actions: () -> some View
  ) -> Views { fatalError() }
}
