#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <optional>

#include "ace/committee_evaluator.hpp"
#include "ace/evaluate.hpp"
#include "ace/invariant_evaluator.hpp"
#include "ace/network_evaluator.hpp"
#include "ace/row_builder.hpp"
#include "arrays.hpp"
#include "bind_ace.hpp"
#include "edge_list.hpp"
#include "instruction_set.hpp"

namespace nb = nanobind;

namespace {

template <class T, class A>
std::vector<T> copied(const A &array) {
  return std::vector<T>(array.data(), array.data() + array.size());
}

// The plan as it is put together: programs are added species by species.
struct PlanBuilder {
  adiabat::ace::PlanSource source;

  PlanBuilder(double cutoff, double reach, std::int32_t l_max,
              Array<const std::int32_t, nb::shape<-1, 4>> segments, Array<const double, nb::shape<-1, 9>> pairs) {
    source.cutoff = cutoff;
    source.reach = reach;
    source.l_max = l_max;
    for (std::size_t s = 0; s < segments.shape(0); ++s) {
      const std::int32_t *row = segments.data() + 4 * s;
      source.segments.push_back({row[0], row[1], row[2], row[3]});
    }
    for (std::size_t p = 0; p < pairs.shape(0); ++p) {
      const double *row = pairs.data() + 9 * p;
      source.pairs.push_back({row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8]});
    }
  }

  void add_program(Integers component_start, Integers component_index, Reals component_weight, Integers left,
                   Integers right, Integers first, Integers second, Reals linear, std::int32_t single_blocks,
                   Integers column_start, Integers column, Reals weight, double shift) {
    source.programs.push_back(
        {{copied<std::int32_t>(component_start), copied<std::int32_t>(component_index), copied<double>(component_weight)},
         copied<std::int32_t>(left),
         copied<std::int32_t>(right),
         copied<std::int32_t>(first),
         copied<std::int32_t>(second),
         copied<double>(linear),
         single_blocks,
         copied<std::int32_t>(column_start),
         copied<std::int32_t>(column),
         copied<double>(weight),
         shift});
  }
};

using PerAtom = Array<double, nb::ndim<1>>;
using EnergiesOut = Array<double, nb::ndim<2>>;
using VectorsOut = Array<double, nb::shape<-1, -1, 3>>;
using FeaturesOut = Array<double, nb::ndim<2>>;
using TensorsOut = Array<double, nb::shape<-1, -1, 3, 3>>;

// Where results are written, as the wrappers give them; None is not wanted.
struct Outputs {
  EnergiesOut energies;
  PerAtom nearest;
  EnergiesOut system_energies;
  std::optional<VectorsOut> forces;
  std::optional<TensorsOut> system_virials, atomic_virials;
};

template <class A>
double *sized(const A &array, std::int64_t rows, std::int32_t members) {
  require(static_cast<std::int64_t>(array.shape(0)) == rows, "an output has one row for each atom, or for each system");
  require(static_cast<std::int64_t>(array.shape(1)) == members, "an output has one column for each member");
  return array.data();
}

template <class A>
double *sized(const std::optional<A> &array, std::int64_t rows, std::int32_t members) {
  return array ? sized(*array, rows, members) : nullptr;
}

adiabat::ace::Configuration configured(const adiabat::EdgeList &edges, const Vectors &positions, const Cells &cells,
                                       const Integers &species) {
  const std::int64_t atoms = edges.atoms();
  require(static_cast<std::int64_t>(positions.shape(0)) == atoms, "positions have one row for each atom of the edges");
  require(static_cast<std::int64_t>(species.shape(0)) == atoms, "species have one row for each atom of the edges");
  require(static_cast<std::int64_t>(cells.shape(0)) == edges.systems(), "there is one cell for each system of the edges");
  return {positions.data(), cells.data(), species.data()};
}

adiabat::ace::Request requested(const adiabat::EdgeList &edges, std::int32_t members, const Outputs &out) {
  const std::int64_t atoms = edges.atoms(), systems = edges.systems();
  require(static_cast<std::int64_t>(out.nearest.shape(0)) == atoms, "an output has one row for each atom");
  require(out.forces || (!out.system_virials && !out.atomic_virials), "virials are computed with forces");
  return {members,
          sized(out.energies, atoms, members),
          out.nearest.data(),
          sized(out.forces, atoms, members),
          sized(out.atomic_virials, atoms, members),
          sized(out.system_energies, systems, members),
          sized(out.system_virials, systems, members)};
}

template <class A>
void require_features(const adiabat::ace::InvariantEvaluator &evaluator, const adiabat::EdgeList &edges, const A &array) {
  require(static_cast<std::int64_t>(array.shape(0)) == edges.atoms() &&
              static_cast<std::int64_t>(array.shape(1)) == evaluator.functions(),
          "invariants have one row for each atom and one column for each function");
}

void evaluate(adiabat::ace::Evaluator &evaluator, const adiabat::EdgeList &edges, Vectors positions, Cells cells,
              Integers species, EnergiesOut energies, PerAtom nearest, EnergiesOut system_energies,
              std::optional<VectorsOut> forces, std::optional<TensorsOut> system_virials,
              std::optional<TensorsOut> atomic_virials, bool single, int threads, const std::string &instruction_set) {
  const auto configuration = configured(edges, positions, cells, species);
  const auto request = requested(edges, 1, {energies, nearest, system_energies, forces, system_virials, atomic_virials});
  const nb::gil_scoped_release release;
  evaluator.evaluate(edges, configuration, request, single, threads, instruction_set);
}

void forward(adiabat::ace::InvariantEvaluator &evaluator, const adiabat::EdgeList &edges, Vectors positions, Cells cells,
             Integers species, FeaturesOut invariants, EnergiesOut energies, PerAtom nearest, EnergiesOut system_energies,
             bool single, int threads, const std::string &instruction_set) {
  const auto configuration = configured(edges, positions, cells, species);
  const auto request = requested(edges, 1, {energies, nearest, system_energies, {}, {}, {}});
  require_features(evaluator, edges, invariants);
  const nb::gil_scoped_release release;
  evaluator.forward(edges, configuration, invariants.data(), request, single, threads, instruction_set);
}

void backward(adiabat::ace::InvariantEvaluator &evaluator, const adiabat::EdgeList &edges, Vectors positions, Cells cells,
              Integers species, Array<const double, nb::ndim<2>> by_invariant, EnergiesOut energies, PerAtom nearest,
              EnergiesOut system_energies, std::optional<VectorsOut> forces, std::optional<TensorsOut> system_virials,
              std::optional<TensorsOut> atomic_virials, bool single, int threads, const std::string &instruction_set) {
  const auto configuration = configured(edges, positions, cells, species);
  const auto request = requested(edges, 1, {energies, nearest, system_energies, forces, system_virials, atomic_virials});
  require_features(evaluator, edges, by_invariant);
  const nb::gil_scoped_release release;
  evaluator.backward(edges, configuration, by_invariant.data(), request, single, threads, instruction_set);
}

void each(adiabat::ace::CommitteeEvaluator &evaluator, const adiabat::EdgeList &edges, Vectors positions, Cells cells,
          Integers species, EnergiesOut energies, PerAtom nearest, EnergiesOut system_energies,
          std::optional<VectorsOut> forces, std::optional<TensorsOut> system_virials,
          std::optional<TensorsOut> atomic_virials, bool single, int threads, const std::string &instruction_set) {
  const auto configuration = configured(edges, positions, cells, species);
  const auto request = requested(edges, evaluator.members(), {energies, nearest, system_energies, forces, system_virials, atomic_virials});
  const nb::gil_scoped_release release;
  evaluator.each(edges, configuration, request, single, threads, instruction_set);
}

void beside(adiabat::ace::CommitteeEvaluator &evaluator, const adiabat::EdgeList &edges, Vectors positions, Cells cells,
            Integers species, EnergiesOut values, EnergiesOut energies, PerAtom nearest, EnergiesOut system_energies,
            std::optional<VectorsOut> forces, std::optional<TensorsOut> system_virials,
            std::optional<TensorsOut> atomic_virials, bool single, int threads, const std::string &instruction_set) {
  const auto configuration = configured(edges, positions, cells, species);
  const auto request = requested(edges, 1, {energies, nearest, system_energies, forces, system_virials, atomic_virials});
  double *beside = sized(values, edges.atoms(), evaluator.members());
  const nb::gil_scoped_release release;
  evaluator.beside(edges, configuration, beside, request, single, threads, instruction_set);
}

void evaluate_network(adiabat::ace::NetworkEvaluator &evaluator, const adiabat::EdgeList &edges, Vectors positions,
                      Cells cells, Integers species, EnergiesOut energies, PerAtom nearest, EnergiesOut system_energies,
                      std::optional<VectorsOut> forces, std::optional<TensorsOut> system_virials,
                      std::optional<TensorsOut> atomic_virials, bool single, int threads,
                      const std::string &instruction_set) {
  const auto configuration = configured(edges, positions, cells, species);
  const auto request = requested(edges, 1, {energies, nearest, system_energies, forces, system_virials, atomic_virials});
  const nb::gil_scoped_release release;
  evaluator.evaluate(edges, configuration, request, single, threads, instruction_set);
}

void rows(const adiabat::ace::RowBuilder &builder, const adiabat::EdgeList &edges, Vectors positions, Cells cells,
          Integers species, Array<double, nb::ndim<2>> features, Array<double, nb::ndim<2>> forces, Array<double, nb::shape<-1, 6>> virial,
          const std::string &instruction_set) {
  const auto atoms = static_cast<std::size_t>(edges.atoms()), functions = static_cast<std::size_t>(builder.functions());
  const std::size_t columns = functions * static_cast<std::size_t>(builder.species());
  const auto configuration = configured(edges, positions, cells, species);
  require(features.shape(0) == atoms && features.shape(1) == functions, "features have a row for each atom");
  require(forces.shape(0) == 3 * atoms && forces.shape(1) == columns, "forces have three rows for each atom");
  require(virial.shape(0) == columns, "the virial has a row for each column");
  const nb::gil_scoped_release release;
  builder.rows(edges, configuration, {features.data(), forces.data(), virial.data()}, instruction_set);
}

}  // namespace

void bind_ace(nb::module_ &module) {
  using adiabat::ace::CommitteeEvaluator;
  using adiabat::ace::Evaluator;
  using adiabat::ace::InvariantEvaluator;
  using adiabat::ace::InvariantSource;
  using adiabat::ace::NetworkEvaluator;
  using adiabat::ace::NetworkSource;
  using adiabat::ace::ProductSource;
  using adiabat::ace::RowBuilder;
  module.def("instruction_sets", &adiabat::instruction_sets);

  nb::class_<PlanBuilder>(module, "PlanBuilder")
      .def(nb::init<double, double, std::int32_t, Array<const std::int32_t, nb::shape<-1, 4>>,
                    Array<const double, nb::shape<-1, 9>>>(),
           nb::arg("cutoff"), nb::arg("reach"), nb::arg("l_max"), nb::arg("segments").noconvert(),
           nb::arg("pairs").noconvert())
      .def("add_program", &PlanBuilder::add_program, nb::arg("component_start").noconvert(),
           nb::arg("component_index").noconvert(), nb::arg("component_weight").noconvert(), nb::arg("left").noconvert(),
           nb::arg("right").noconvert(), nb::arg("first").noconvert(), nb::arg("second").noconvert(),
           nb::arg("linear").noconvert(), nb::arg("single_blocks"), nb::arg("column_start").noconvert(),
           nb::arg("column").noconvert(), nb::arg("weight").noconvert(),
           nb::arg("shift"));

  nb::class_<Evaluator>(module, "Evaluator")
      .def(
          "__init__", [](Evaluator *self, const PlanBuilder &plan) { new (self) Evaluator(plan.source); },
          nb::arg("plan"))
      .def("evaluate", &evaluate, nb::arg("edges"), nb::arg("positions").noconvert(), nb::arg("cells").noconvert(),
           nb::arg("species").noconvert(), nb::arg("energies").noconvert(), nb::arg("nearest").noconvert(),
           nb::arg("system_energies").noconvert(), nb::arg("forces").noconvert().none(),
           nb::arg("system_virials").noconvert().none(), nb::arg("atomic_virials").noconvert().none(), nb::kw_only(),
           nb::arg("single"), nb::arg("threads"), nb::arg("instruction_set"));

  nb::class_<ProductSource>(module, "Products")
      .def(
          "__init__",
          [](ProductSource *self, Integers start, Integers first, Integers second, Reals weight) {
            new (self) ProductSource{copied<std::int32_t>(start), copied<std::int32_t>(first),
                                     copied<std::int32_t>(second), copied<double>(weight)};
          },
          nb::arg("start").noconvert(), nb::arg("first").noconvert(), nb::arg("second").noconvert(),
          nb::arg("weight").noconvert());

  nb::class_<InvariantSource>(module, "InvariantTable")
      .def(
          "__init__",
          [](InvariantSource *self, Integers component_start, Integers component_index, Reals component_weight,
             const ProductSource &sums, std::int32_t value_sums, const ProductSource &invariants,
             const ProductSource &local, Integers stage_local, Integers stage_component, Integers component,
             Integers pair_start, Integers pair_function, Integers pair_place, Reals pair_weight) {
            new (self) InvariantSource{value_sums,
                                       {copied<std::int32_t>(component_start), copied<std::int32_t>(component_index),
                                        copied<double>(component_weight)},
                                       sums,
                                       invariants,
                                       local,
                                       copied<std::int32_t>(stage_local),
                                       copied<std::int32_t>(stage_component),
                                       copied<std::int32_t>(component),
                                       copied<std::int32_t>(pair_start),
                                       copied<std::int32_t>(pair_function),
                                       copied<std::int32_t>(pair_place),
                                       copied<double>(pair_weight)};
          },
          nb::arg("component_start").noconvert(), nb::arg("component_index").noconvert(),
          nb::arg("component_weight").noconvert(), nb::arg("sums"), nb::arg("value_sums"), nb::arg("invariants"),
          nb::arg("local"), nb::arg("stage_local").noconvert(), nb::arg("stage_component").noconvert(),
          nb::arg("component").noconvert(), nb::arg("pair_start").noconvert(), nb::arg("pair_function").noconvert(),
          nb::arg("pair_place").noconvert(), nb::arg("pair_weight").noconvert());

  nb::class_<InvariantEvaluator>(module, "InvariantEvaluator")
      .def(
          "__init__",
          [](InvariantEvaluator *self, const PlanBuilder &plan, const InvariantSource &table) {
            new (self) InvariantEvaluator(plan.source, table);
          },
          nb::arg("plan"), nb::arg("table"))
      .def("forward", &forward, nb::arg("edges"), nb::arg("positions").noconvert(), nb::arg("cells").noconvert(),
           nb::arg("species").noconvert(), nb::arg("invariants").noconvert(), nb::arg("energies").noconvert(),
           nb::arg("nearest").noconvert(), nb::arg("system_energies").noconvert(), nb::kw_only(), nb::arg("single"),
           nb::arg("threads"), nb::arg("instruction_set"))
      .def("backward", &backward, nb::arg("edges"), nb::arg("positions").noconvert(), nb::arg("cells").noconvert(),
           nb::arg("species").noconvert(), nb::arg("by_invariant").noconvert(), nb::arg("energies").noconvert(),
           nb::arg("nearest").noconvert(), nb::arg("system_energies").noconvert(),
           nb::arg("forces").noconvert().none(), nb::arg("system_virials").noconvert().none(),
           nb::arg("atomic_virials").noconvert().none(), nb::kw_only(), nb::arg("single"), nb::arg("threads"),
           nb::arg("instruction_set"));

  nb::class_<CommitteeEvaluator>(module, "CommitteeEvaluator")
      .def(
          "__init__",
          [](CommitteeEvaluator *self, const PlanBuilder &plan, const InvariantSource &table, std::int32_t members,
             const std::vector<Reals> &coefficients) {
            adiabat::ace::MemberSource source{members, {}};
            for (const auto &of_species : coefficients) source.coefficients.push_back(copied<double>(of_species));
            new (self) CommitteeEvaluator(plan.source, table, source);
          },
          nb::arg("plan"), nb::arg("table"), nb::arg("members"), nb::arg("coefficients").noconvert())
      .def("each", &each, nb::arg("edges"), nb::arg("positions").noconvert(), nb::arg("cells").noconvert(),
           nb::arg("species").noconvert(), nb::arg("energies").noconvert(), nb::arg("nearest").noconvert(),
           nb::arg("system_energies").noconvert(), nb::arg("forces").noconvert().none(),
           nb::arg("system_virials").noconvert().none(), nb::arg("atomic_virials").noconvert().none(), nb::kw_only(),
           nb::arg("single"), nb::arg("threads"), nb::arg("instruction_set"))
      .def("beside", &beside, nb::arg("edges"), nb::arg("positions").noconvert(), nb::arg("cells").noconvert(),
           nb::arg("species").noconvert(), nb::arg("values").noconvert(), nb::arg("energies").noconvert(),
           nb::arg("nearest").noconvert(), nb::arg("system_energies").noconvert(),
           nb::arg("forces").noconvert().none(), nb::arg("system_virials").noconvert().none(),
           nb::arg("atomic_virials").noconvert().none(), nb::kw_only(), nb::arg("single"), nb::arg("threads"),
           nb::arg("instruction_set"));

  nb::class_<NetworkSource>(module, "Network")
      .def(
          "__init__",
          [](NetworkSource *self, Integers width, Reals weight, Reals bias, Reals linear, Reals readout, double shift) {
            new (self) NetworkSource{copied<std::int32_t>(width), copied<double>(weight),  copied<double>(bias),
                                     copied<double>(linear),      copied<double>(readout), shift};
          },
          nb::arg("width").noconvert(), nb::arg("weight").noconvert(), nb::arg("bias").noconvert(),
          nb::arg("linear").noconvert(), nb::arg("readout").noconvert(), nb::arg("shift"));

  nb::class_<NetworkEvaluator>(module, "NetworkEvaluator")
      .def(
          "__init__",
          [](NetworkEvaluator *self, const PlanBuilder &plan, const InvariantSource &table,
             const std::vector<NetworkSource> &networks) {
            new (self) NetworkEvaluator(plan.source, table, networks);
          },
          nb::arg("plan"), nb::arg("table"), nb::arg("networks"))
      .def("evaluate", &evaluate_network, nb::arg("edges"), nb::arg("positions").noconvert(),
           nb::arg("cells").noconvert(), nb::arg("species").noconvert(), nb::arg("energies").noconvert(),
           nb::arg("nearest").noconvert(), nb::arg("system_energies").noconvert(),
           nb::arg("forces").noconvert().none(), nb::arg("system_virials").noconvert().none(),
           nb::arg("atomic_virials").noconvert().none(), nb::kw_only(), nb::arg("single"), nb::arg("threads"),
           nb::arg("instruction_set"));

  nb::class_<RowBuilder>(module, "RowBuilder")
      .def(
          "__init__",
          [](RowBuilder *self, const PlanBuilder &plan, Integers component_start, Integers component_index,
             Reals component_weight, LongIntegers pair_start, Integers pair_component, LongIntegers term_start,
             Reals term_weight, Integers term_factor, Integers factors) {
            new (self) RowBuilder(
                plan.source, {{copied<std::int32_t>(component_start), copied<std::int32_t>(component_index),
                               copied<double>(component_weight)},
                              copied<std::int64_t>(pair_start),
                              copied<std::int32_t>(pair_component),
                              copied<std::int64_t>(term_start),
                              copied<double>(term_weight),
                              copied<std::int32_t>(term_factor),
                              copied<std::int32_t>(factors)});
          },
          nb::arg("plan"), nb::arg("component_start").noconvert(), nb::arg("component_index").noconvert(),
          nb::arg("component_weight").noconvert(), nb::arg("pair_start").noconvert(),
          nb::arg("pair_component").noconvert(), nb::arg("term_start").noconvert(), nb::arg("term_weight").noconvert(),
          nb::arg("term_factor").noconvert(), nb::arg("factors").noconvert())
      .def("rows", &rows, nb::arg("edges"), nb::arg("positions").noconvert(), nb::arg("cells").noconvert(),
           nb::arg("species").noconvert(), nb::arg("features").noconvert(), nb::arg("forces").noconvert(),
           nb::arg("virial").noconvert(), nb::kw_only(), nb::arg("instruction_set"));
}
