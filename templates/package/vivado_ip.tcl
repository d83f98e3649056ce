# Packages the design with its AXI4-Stream ports as an IP core for Vivado's block designs: run this in its folder with
#   vivado -mode batch -source @script
# It leaves the folder `ip` with component.xml; add that folder to the IP repositories of your project.
create_project -in_memory -part @part
add_files -norecurse [list @files]
set_property top @top [current_fileset]
ipx::package_project -root_dir ip -vendor hlsflow -library user -taxonomy /UserIP -import_files -force
set core [ipx::current_core]
set_property name @name $core
set_property display_name {@name, made by hlsflow} $core
set_property version 1.0 $core
# Buses, clock and reset are found by the names of their ports; this says which clock they belong to.
foreach bus [list @buses] { ipx::associate_bus_interfaces -busif $bus -clock aclk $core }
ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::save_core $core
